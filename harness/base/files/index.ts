export { writeFileAtomic } from './atomic';
export { formatNpy, isStringArray, parseNpy } from './npy';
export type { ArrayToWrite, NpyArray, NumberArray, StringArray } from './npy';
export { formatNpz, numbersOf, readNpz, writeNpz } from './npz';
export type { ReadNpzOptions } from './npz';
