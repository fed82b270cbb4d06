import {
  evaluationOf,
  tensorNames,
  tensorOf,
  type Evaluation,
  type Implementation,
  type Problem,
} from '../problem';
import { HandNetwork } from './hand-network';
import type { Specimen } from './specimen';

/**
 * An implementation with a fault planted in it: its own answer, rounding and all, plus what the fault changes.
 * So a fault can be put into TensorFlow.js on any backend without a line of TensorFlow.js being changed.
 */
export function plant(specimen: Pick<Specimen, 'network'>, host: Implementation): Implementation {
  let earlier: HandNetwork | undefined;
  let before: Evaluation | undefined;
  return {
    name: host.name,
    precision: host.precision,
    ...(host.omits && { omits: host.omits }),
    evaluate: async (problem) => {
      const honest = await host.evaluate(problem);
      const right = rightAnswer(problem);
      const network = new specimen.network(problem, earlier);
      const wrong = network.evaluate();
      earlier = network;
      const answer = shift(honest, right, wrong, host.precision === 'float32' ? Math.fround : (x) => x);
      before = network.handedOver(answer, before);
      return before;
    },
  };
}

const rightAnswers = new WeakMap<Problem, Evaluation>();

/** The right answer by hand, worked out once a problem. */
export function rightAnswer(problem: Problem): Evaluation {
  const known = rightAnswers.get(problem) ?? new HandNetwork(problem).evaluate();
  rightAnswers.set(problem, known);
  return known;
}

/** honest + (wrong - right), elementwise; a tensor of another shape or that is missing in `wrong` is taken over from it. */
function shift(
  honest: Evaluation,
  right: Evaluation,
  wrong: Evaluation,
  round: (x: number) => number,
): Evaluation {
  return evaluationOf(
    new Map(
      tensorNames.flatMap((name) => {
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
