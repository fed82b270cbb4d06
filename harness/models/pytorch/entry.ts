import type { StoredTensor } from '../assemble';

/** A named array of a state_dict, before its numbers are read. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  read(): StoredTensor;
}

/** Arrays for a message. */
export const names = (entries: readonly StateEntry[]): string =>
  entries
    .slice(0, 40)
    .map(({ name, shape }) => `${name} [${shape.join(', ')}]`)
    .join(', ');
