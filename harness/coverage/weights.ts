import type { Tensor } from '../../scratch/index';
import { mapParts, partOf, partsOf, type AnyProblem } from '../base/problem';
import { toFloat16 } from '../faults/index';
import { isEqual, isZero, largest, map, random, varied } from './tensors';
import { change, type CommonWeakness, type Weakness } from './weakness';

/** Weights without numbers of their own, of any model. */
export const weaknessesOfZeroWeights: readonly CommonWeakness[] = [
  everyWeight('zero bias', (name, own) => /bias/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give biases that are not zero',
    other: (own, i) => random(own.shape, 70 + i, 0.5),
  }),
  everyWeight('zero weights', (name, own) => !/bias/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give weights that are not zero',
    other: (own, i) => random(own.shape, 90 + i, 0.5),
  }),
];

/** The same for weights of one number. */
export const equalWeights = everyWeight('equal weights', (_, own) => isEqual(own) && !isZero(own), {
  says: ['is one number repeated', 'are one number repeated'],
  fix: 'give every weight a different number',
  other: (own, i) => varied(own, 110 + i),
});

/** Weaknesses of the weights of the simple RNN. */
export const weaknessesOfWeights: readonly Weakness[] = [
  ...weaknessesOfZeroWeights,
  {
    what: 'equal kernels',
    found: ({ problem: { weights } }) => {
      const { kernel, recurrentKernel } = weights;
      const alike = kernel.shape.join() === recurrentKernel.shape.join();
      return alike && !isZero(kernel) && kernel.data.every((x, i) => x === recurrentKernel.data[i])
        ? `kernel and recurrentKernel are the same (F = U = ${kernel.shape[0]})`
        : undefined;
    },
    fix: 'give them different numbers',
    fixed: (asked) => {
      const { weights } = asked.problem;
      return change(asked, { weights: { ...weights, kernel: map(weights.kernel, (x) => 1.5 * x) } });
    },
  },
  equalWeights,
  ...(['recurrentKernel', 'kernel', 'outputKernel'] as const).map((name) =>
    everyWeight(`symmetric ${name}`, (own, tensor) => own === name && isSymmetric(tensor), {
      says: ['is its own transpose', ''],
      fix: `make ${name} unsymmetric`,
      other: (own) =>
        map(own, (x, i) => (i % own.shape[0] > i / own.shape[0] ? 1.5 * x + 0.1 * largest(own) : x)),
    }),
  ),
  everyWeight('short numbers', (_, own) => !isZero(own) && own.data.every((x) => toFloat16(x) === x), {
    says: ['is exact in 11 bits', 'are exact in 11 bits'],
    fix: 'give numbers with more digits, as 0.1 has',
    other: (own) => map(own, (x) => 1.001 * x),
  }),
];

interface EveryWeight {
  /** after one name, and after several */ readonly says: readonly [one: string, several: string];
  readonly fix: string;
  /** in the place of a tensor that has it, the i-th of the weights */ readonly other: (
    own: Tensor,
    i: number,
  ) => Tensor;
}

/** What each weight can have by itself; `kernel`, of layers `layer1.kernel`. */
function everyWeight(
  what: string,
  has: (name: string, own: Tensor) => boolean,
  { says, fix, other }: EveryWeight,
): CommonWeakness {
  return {
    what,
    found: ({ problem }) => {
      const names = weightsOf(problem).filter((name) => has(name, partOf(problem, `weights.${name}`)!));
      return names.length === 0 ? undefined : `${names.join(', ')} ${says[names.length === 1 ? 0 : 1]}`;
    },
    fix,
    fixed: (asked) => {
      const all = weightsOf(asked.problem);
      return change(
        asked,
        mapParts(asked.problem, (own, part) => {
          const name = part.replace(/^weights\./, '');
          return name !== part && has(name, own) ? other(own, all.indexOf(name)) : own;
        }),
      );
    },
  };
}

function weightsOf(problem: AnyProblem): string[] {
  return partsOf(problem).flatMap((name) => (name.startsWith('weights.') ? [name.slice(8)] : []));
}

function isSymmetric({ data, shape: [rows, columns] }: Tensor): boolean {
  const across = (i: number): number => (i % rows) * rows + Math.floor(i / rows);
  return rows === columns && rows > 1 && data.every((x, i) => x === data[across(i)]);
}
