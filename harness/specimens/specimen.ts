import { tensorNames, tensorOf, type Evaluation, type Implementation, type Problem } from '../problem';
import { evaluationOf } from '../vectors/index';
import { HandNetwork } from './hand-network';

/** A planted fault: a network that is wrong in one place. The harness is only worth something if it rejects every one. */
export interface Specimen {
  /** short and unique, as `carry/dropped` */ readonly name: string;
  /** what is wrong, in words */ readonly fault: string;
  /** the faulty network */ readonly network: new (problem: Problem) => HandNetwork;
  /** the fault shows on these problems only; absent: on every problem with a backward pass */
  readonly shows?: (problem: Problem) => boolean;
}

/**
 * An implementation with a fault planted in it: its own answer, rounding and all, plus what the fault changes.
 * So a fault can be put into TensorFlow.js on any backend without a line of TensorFlow.js being changed.
 */
export function plant(specimen: Specimen, host: Implementation): Implementation {
  return {
    name: host.name,
    precision: host.precision,
    evaluate: async (problem) => {
      const honest = await host.evaluate(problem);
      const right = new HandNetwork(problem).evaluate();
      const wrong = new specimen.network(problem).evaluate();
      return shift(honest, right, wrong, host.precision === 'float32' ? Math.fround : (x) => x);
    },
  };
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
