import { createRandom } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';

export interface Split {
  /** indices of the examples to train on, ascending */ readonly train: Int32Array;
  /** indices of the examples kept back, ascending */ readonly validation: Int32Array;
}

/**
 * Keeps back round(share * N) examples, from every class in proportion (largest remainders), chosen by the seed.
 *
 * @param share from 0 (nothing kept back) to below 1
 */
export function splitStratified(labels: Int32Array, classes: number, share: number, seed: number): Split {
  if (!(share >= 0 && share < 1))
    throw new UsageError(
      `--validation is ${share}; a share from 0 to below 1 was expected, for example 0.2.`,
    );
  const odd = labels.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (odd !== undefined)
    throw new RangeError(
      `splitStratified: the labels hold ${odd}; whole numbers from 0 to ${classes - 1} were expected.`,
    );
  const byClass: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, n) => byClass[label].push(n));
  const total = Math.round(share * labels.length);
  const quota = byClass.map((members) => (members.length * total) / labels.length);
  const counts = quota.map(Math.floor);
  const order = quota.map((_, c) => c).sort((a, b) => quota[b] - counts[b] - (quota[a] - counts[a]) || a - b);
  const missing = total - counts.reduce((sum, count) => sum + count, 0);
  for (let i = 0; i < missing; i++) counts[order[i % classes]]++;
  const random = createRandom(seed);
  const kept = new Uint8Array(labels.length);
  byClass.forEach((members, c) => {
    const order = random.permutation(members.length);
    for (let i = 0; i < counts[c]; i++) kept[members[order[i]]] = 1;
  });
  const all = Int32Array.from(labels, (_, n) => n);
  const split = { train: all.filter((n) => kept[n] === 0), validation: all.filter((n) => kept[n] === 1) };
  if (split.train.length === 0)
    throw new UsageError(
      `--validation ${share} leaves nothing of ${labels.length} examples to train on; lower it.`,
    );
  return split;
}
