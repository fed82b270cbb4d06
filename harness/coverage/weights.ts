import type { Tensor } from '../../scratch/index';
import { partOf } from '../base/problem';
import { toFloat16 } from '../faults/index';
import { everyPart } from './parts';
import { isEqual, isZero, largest, map, random, varied } from './tensors';
import type { Weakness } from './weakness';

const isWeight = (name: string): boolean => name.startsWith('weights.');
const isBias = (name: string): boolean => /bias/i.test(name);
/** Whether it is that weight, of any layer. */
const isCalled = (name: string, weight: string): boolean => isWeight(name) && name.endsWith(`.${weight}`);

/** Weaknesses of the weights. */
export const weaknessesOfWeights: readonly Weakness[] = [
  everyPart('zero bias', {
    has: (name, own) => isWeight(name) && isBias(name) && isZero(own),
    says: ['is all zero', 'are all zero'],
    fix: 'give biases that are not zero',
    other: (own, i) => random(own.shape, 70 + i, 0.5),
  }),
  everyPart('zero weights', {
    has: (name, own) => isWeight(name) && !isBias(name) && isZero(own),
    says: ['is all zero', 'are all zero'],
    fix: 'give weights that are not zero',
    other: (own, i) => random(own.shape, 90 + i, 0.5),
  }),
  everyPart('equal kernels', {
    has: (name, own, problem) => {
      const other = isCalled(name, 'kernel')
        ? partOf(problem, name.replace(/kernel$/, 'recurrentKernel'))
        : undefined;
      const isAlike = other?.shape.join() === own.shape.join() && !isZero(own);
      return isAlike && own.data.every((x, i) => x === other.data[i]);
    },
    says: ['and recurrentKernel are the same', 'are the same as the recurrentKernel of their layers'],
    fix: 'give them different numbers',
    other: (own) => map(own, (x) => 1.5 * x),
  }),
  everyPart('equal weights', {
    has: (name, own) => isWeight(name) && isEqual(own) && !isZero(own),
    says: ['is one number repeated', 'are one number repeated'],
    fix: 'give every weight a different number',
    other: (own, i) => varied(own, 110 + i),
  }),
  ...['recurrentKernel', 'kernel', 'outputKernel'].map((weight) =>
    everyPart(`symmetric ${weight}`, {
      has: (name, own) => isCalled(name, weight) && isSymmetric(own),
      says: ['is its own transpose', 'are their own transposes'],
      fix: `make ${weight} unsymmetric`,
      other: (own) =>
        map(own, (x, i) => (i % own.shape[0] > i / own.shape[0] ? 1.5 * x + 0.1 * largest(own) : x)),
    }),
  ),
  everyPart('short numbers', {
    has: (name, own) => isWeight(name) && !isZero(own) && own.data.every((x) => toFloat16(x) === x),
    says: ['is exact in 11 bits', 'are exact in 11 bits'],
    fix: 'give numbers with more digits, as 0.1 has',
    other: (own) => map(own, (x) => 1.001 * x),
  }),
];

function isSymmetric({ data, shape: [rows, columns] }: Tensor): boolean {
  const across = (i: number): number => (i % rows) * rows + Math.floor(i / rows);
  return rows === columns && rows > 1 && data.every((x, i) => x === data[across(i)]);
}
