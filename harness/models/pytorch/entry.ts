import type { Tensor } from '../../../scratch/index';

/** A named array of a state_dict, before its numbers are read. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** where it is stored with fewer bits than float32 */ readonly half?: 'float16' | 'bfloat16';
  read(): Tensor;
}

/** Arrays for a message. */
export const names = (entries: readonly StateEntry[]): string =>
  entries
    .slice(0, 40)
    .map(({ name, shape }) => `${name} [${shape.join(', ')}]`)
    .join(', ');
