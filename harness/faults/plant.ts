import {
  evaluationOf,
  expectedNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import type { Tensor } from '../../scratch/index';
import { asEvaluation, equationsOf } from '../equations/index';
import { exactFault, rightOutcome } from './equations/index';
import type { Fault } from './fault';

/**
 * An implementation with a fault planted in it: its own answer, rounding and all, plus what the fault changes.
 * So a fault can be put into TensorFlow.js on any backend without a line of TensorFlow.js being changed.
 *
 * @param way which of the faulty networks of the fault
 */
export function plant(
  { runs, phase, handedOver }: Pick<Fault, 'runs'> & Partial<Pick<Fault, 'phase' | 'handedOver'>>,
  host: Implementation,
  way = 0,
): Implementation {
  let earlier: ReadonlyMap<string, Tensor> | undefined;
  let before: Evaluation | undefined;
  const wrong = (problem: AnyProblem, honest: Evaluation): Evaluation => {
    const { network, problem: own } = equationsOf(problem);
    const run = runs(network, own, { earlier }).at(way);
    // where the states are right, the faulty gradients are made from the host's own
    const states = phase === undefined || phase === 'forward' ? undefined : honest.states;
    const right =
      states === undefined
        ? rightOutcome(network)(own)
        : exactFault({ network, problem: own }, states).whole();
    earlier = run === undefined ? right : exactFault(run, states).whole();
    const [from, to] = [right, earlier].map((outcome) => asEvaluation(problem, outcome));
    const answer = run === undefined ? honest : shift(problem, honest, from, to, host);
    before = handedOver?.(answer, before) ?? answer;
    return before;
  };
  const { layered } = host;
  return {
    ...host,
    evaluate: async (problem) => wrong(problem, await host.evaluate(problem)),
    ...(layered && {
      layered: { ...layered, evaluate: async (given) => wrong(given, await layered.evaluate(given)) },
    }),
  };
}

/** honest + (wrong - right), elementwise; a tensor of another shape or that is missing in `wrong` is taken over from it. */
function shift(
  problem: AnyProblem,
  honest: Evaluation,
  right: Evaluation,
  wrong: Evaluation,
  { precision }: Pick<Implementation, 'precision'>,
): Evaluation {
  const round = precision === 'float32' ? Math.fround : (x: number): number => x;
  return evaluationOf(
    new Map(
      expectedNames(problem).flatMap((name) => {
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
