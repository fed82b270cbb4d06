import {
  evaluationOf,
  expectedNames,
  tensorNames,
  tensorOf,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import { answerOf, equationsOf } from '../equations/index';
import { exactFault, type EquationFault } from './equations/index';
import { HandNetwork } from './hand-network';
import { rightAnswer } from './replay';
import type { Fault } from './fault';

/**
 * An implementation with a fault planted in it: its own answer, rounding and all, plus what the fault changes.
 * So a fault can be put into TensorFlow.js on any backend without a line of TensorFlow.js being changed.
 */
export function plant(
  fault: Pick<Fault, 'network'> & Partial<Pick<Fault, 'phase'>>,
  host: Implementation,
): Implementation {
  let earlier: HandNetwork | undefined;
  let before: Evaluation | undefined;
  return {
    name: host.name,
    precision: host.precision,
    ...(host.omits && { omits: host.omits }),
    evaluate: async (problem) => {
      const honest = await host.evaluate(problem);
      // where the states are right, the faulty gradients are made from the host's own
      const isForward = fault.phase === undefined || fault.phase === 'forward';
      const states = isForward ? undefined : honest.states;
      const right = states === undefined ? rightAnswer(problem) : new HandNetwork(problem).evaluate(states);
      const network = new fault.network(problem, earlier);
      const wrong = network.evaluate(states);
      earlier = network;
      const answer = shift(honest, right, wrong, host.precision === 'float32' ? Math.fround : (x) => x);
      before = network.handedOver(answer, before);
      return before;
    },
  };
}

/** The same with a mistake in the formulas of a network of layers; `way` says which of its faulty networks. */
export function plantInLayers(
  { runs }: Pick<EquationFault, 'runs'>,
  way: number,
  host: Implementation,
): Implementation {
  const { layered, precision } = host;
  if (layered === undefined) throw new Error(`${host.name} runs no networks of layers`);
  return {
    ...host,
    layered: {
      ...layered,
      evaluate: async (given) => {
        const honest = await layered.evaluate(given);
        const equations = equationsOf(given);
        const { network, problem } = equations;
        const run = runs(network, problem).at(way);
        if (run === undefined) return honest;
        const [right, wrong] = [{ network, problem }, run].map((one) =>
          evaluationOf(answerOf(equations, exactFault(one).whole())),
        );
        return shift(
          honest,
          right,
          wrong,
          precision === 'float32' ? Math.fround : (x) => x,
          expectedNames(given),
        );
      },
    },
  };
}

/** honest + (wrong - right), elementwise; a tensor of another shape or that is missing in `wrong` is taken over from it. */
function shift(
  honest: Evaluation,
  right: Evaluation,
  wrong: Evaluation,
  round: (x: number) => number,
  names: readonly string[] = tensorNames,
): Evaluation {
  return evaluationOf(
    new Map(
      names.flatMap((name) => {
        const [own, from, to] = [honest, right, wrong].map((evaluation) => tensorOf(evaluation, name));
        if (own === undefined || to === undefined) return [];
        if (from === undefined || from.shape.join() !== to.shape.join()) return [[name, to]];
        const data = own.data.map((x, i) =>
          from.data[i] === to.data[i] ? x : round(x + (to.data[i] - from.data[i])),
        );
        return [[name, { data, shape: own.shape }]];
      }),
    ),
  );
}
