import {
  evaluationOf,
  expectedNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import type { Tensor } from '../../scratch/index';
import { asEvaluation, equationsOf, type NetworkProblem } from '../equations/index';
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
    const answer = run === undefined ? honest : shift(problem, honest, from, to, host, givenIn(run.problem));
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

/** Zero, and the initial states and gradients that are given: a program that answers one of them has not rounded it. */
function givenIn({ initialStates, upstream }: NetworkProblem): ReadonlySet<number> {
  const states = Object.values(initialStates ?? {}).flatMap((own) => Object.values(own));
  const gradients = Object.values(upstream ?? {}).flatMap(({ sequence, final }) => [
    ...(sequence ? [sequence] : []),
    ...Object.values(final ?? {}),
  ]);
  return new Set([0, ...[...states, ...gradients].flatMap(({ data }) => Array.from(data))]);
}

/** honest + (wrong - right), elementwise; a tensor of another shape or that is missing in `wrong` is taken over from it. */
function shift(
  problem: AnyProblem,
  honest: Evaluation,
  right: Evaluation,
  wrong: Evaluation,
  { precision }: Pick<Implementation, 'precision'>,
  exact: ReadonlySet<number>,
): Evaluation {
  const round = precision === 'float32' ? Math.fround : (x: number): number => x;
  return evaluationOf(
    new Map(
      expectedNames(problem).flatMap((name) => {
        const [own, from, to] = [honest, right, wrong].map((evaluation) => tensorOf(evaluation, name));
        if (own === undefined || to === undefined) return [];
        if (from === undefined || from.shape.join() !== to.shape.join()) return [[name, to]];
        const data = own.data.map((x, i) => {
          if (from.data[i] === to.data[i]) return x;
          return exact.has(to.data[i]) ? to.data[i] : round(x + (to.data[i] - from.data[i]));
        });
        return [[name, { data, shape: own.shape }]];
      }),
    ),
  );
}
