import type { Tensor } from '../../scratch/index';
import type { Problem, ProblemWeights } from '../base/problem';
import { toFloat16, type WeightName } from '../faults/index';
import { isEqual, isZero, largest, map, random, varied } from './tensors';
import { change, type Asked, type Weakness } from './weakness';

type Condition = (name: WeightName, own: Tensor) => boolean;

/** Weaknesses of the weights. */
export const weaknessesOfWeights: readonly Weakness[] = [
  every('zero bias', (name, own) => /bias/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give biases that are not zero',
    other: (own) => random(own.shape, 21, 0.5),
  }),
  every('zero weights', (name, own) => /kernel/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give weights that are not zero',
    other: (own) => random(own.shape, 22, 0.5),
  }),
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
    fixed: (asked) =>
      withOther(
        asked,
        (name) => name === 'kernel',
        (own) => map(own, (x) => 1.5 * x),
      ),
  },
  every('equal weights', (_, own) => isEqual(own) && !isZero(own), {
    says: ['is one number repeated', 'are one number repeated'],
    fix: 'give every weight a different number',
    other: (own) => varied(own, 23),
  }),
  ...(['recurrentKernel', 'kernel', 'outputKernel'] as const).map((name): Weakness =>
    every(`symmetric ${name}`, (own, tensor) => own === name && isSymmetric(tensor), {
      says: ['is its own transpose', ''],
      fix: `make ${name} unsymmetric`,
      other: (own) =>
        map(own, (x, i) => (i % own.shape[0] > i / own.shape[0] ? 1.5 * x + 0.1 * largest(own) : x)),
    }),
  ),
  every('short numbers', (_, own) => !isZero(own) && own.data.every((x) => toFloat16(x) === x), {
    says: ['is exact in 11 bits', 'are exact in 11 bits'],
    fix: 'give numbers with more digits, as 0.1 has',
    other: (own) => map(own, (x) => 1.001 * x),
  }),
];

interface EveryWeakness {
  /** after one name, and after several */ readonly says: readonly [one: string, several: string];
  readonly fix: string;
  /** in the place of a tensor that has it */ readonly other: (own: Tensor) => Tensor;
}

/** What each weight can have by itself. */
function every(what: string, has: Condition, { says, fix, other }: EveryWeakness): Weakness {
  return {
    what,
    found: ({ problem }) => {
      const names = entries(problem).filter(([name, own]) => has(name, own));
      if (names.length === 0) return undefined;
      return `${names.map(([name]) => name).join(', ')} ${says[names.length === 1 ? 0 : 1]}`;
    },
    fix,
    fixed: (asked) => withOther(asked, has, other),
  };
}

function withOther(asked: Asked, has: Condition, other: (own: Tensor) => Tensor): Asked {
  const weights = entries(asked.problem).map(([name, own]) => [name, has(name, own) ? other(own) : own]);
  return change(asked, { weights: Object.fromEntries(weights) as ProblemWeights });
}

function entries({ weights }: Problem): [WeightName, Tensor][] {
  return (Object.entries(weights) as [WeightName, Tensor | undefined][]).flatMap(([name, own]) =>
    own === undefined ? [] : [[name, own] as [WeightName, Tensor]],
  );
}

function isSymmetric({ data, shape: [rows, columns] }: Tensor): boolean {
  const across = (i: number): number => (i % rows) * rows + Math.floor(i / rows);
  return rows === columns && rows > 1 && data.every((x, i) => x === data[across(i)]);
}
