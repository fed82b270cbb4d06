import type { OptimizerConfig } from '../../../scratch/index';
import { memoize } from '../../base/memoize';
import type { Family, Fault } from '../fault';
import type { Wrong } from '../wrong';
import {
  HandOptimizer,
  optimizerWith,
  type OptimizerClass,
  type UpdateAnswer,
  type UpdateQuestion,
  type WeightName,
} from './hand-optimizer';

/** The part of an update whose equation is wrong; `gradient` is what enters the memory, or the step where there is no memory. */
export type UpdatePart = 'loss' | 'gradient' | 'velocity' | 'm' | 'v' | 'weights';

/** A fault of the optimizer: an update that is wrong in one place, though the gradients are right. */
export interface UpdateFault extends Pick<Fault, 'name' | 'words' | 'family'> {
  readonly phase: 'update' | 'loss';
  readonly optimizer: OptimizerClass;
  /** where its first wrong number is */ readonly wrong: UpdatePart;
  /** where only some weights are wrong: these */ readonly only?: readonly WeightName[];
  /** of the updates that it changes those that show it in single precision; default: all */
  readonly shownIn?: (question: UpdateQuestion) => boolean;
}

/** Makes the faults of a family whose first wrong number is in that part. */
export function updateFaultIn(family: Family, part: UpdatePart) {
  return (
    name: string,
    words: string,
    wrong: Wrong<HandOptimizer>,
    more: Pick<UpdateFault, 'only' | 'shownIn'> = {},
  ): UpdateFault => ({
    ...{ name, words, family, wrong: part, phase: part === 'loss' ? 'loss' : 'update' },
    optimizer: optimizerWith(wrong),
    ...more,
  });
}

/** The first wrong quantity, as a diagnosis names it: the group before the dot of `velocity.kernel`. */
export function firstWrong({ wrong }: UpdateFault, optimizer: OptimizerConfig): string {
  if (wrong !== 'gradient') return wrong;
  if (optimizer.name === 'adam') return 'm';
  return (optimizer.momentum ?? 0) > 0 ? 'velocity' : 'weights';
}

/** Differences below it are another order of summation: a share of the largest number of an array. */
const reordering = 1e-11;

/** Whether the update comes out otherwise with the fault than without it: two updates in float64 differ. */
export function canShowUpdate(
  { optimizer, shownIn }: Pick<UpdateFault, 'optimizer' | 'shownIn'>,
  question: UpdateQuestion,
): boolean {
  if (shownIn?.(question) === false) return false;
  const wrong = arraysOf(new optimizer(question).update());
  return [...rightArrays(question)].some(([name, own]) => !isSame(own, wrong.get(name)));
}

const rightArrays = memoize((question: UpdateQuestion) => arraysOf(new HandOptimizer(question).update()));

/** Everything that an update makes, by name: `loss`, `velocity.kernel`, `weights.bias`. */
export function arraysOf({ loss, weights, slots }: UpdateAnswer): Map<string, Float64Array> {
  return new Map([
    ['loss', Float64Array.of(loss)],
    ...Object.entries({ ...slots, weights }).flatMap(([group, of]) =>
      Object.entries(of).map(([name, numbers]) => [`${group}.${name}`, numbers] as const),
    ),
  ]);
}

/** Whether two arrays differ by no more than another order of summation. */
export function isSame(one: Float64Array, other: Float64Array | undefined): boolean {
  const scale = one.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-300);
  return one.every((x, i) => Math.abs(x - (other?.[i] ?? NaN)) <= reordering * scale);
}
