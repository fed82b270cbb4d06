export { makeDirectory, replaceTogether, writeFileAtomic, writeFilesAtomic } from './atomic';
export { leftoversOf, modelFolder, nameAlongside, realPath, removeLeftovers, type Leftover } from './names';
export { formatNpy, isStringArray } from './npy';
export type { ArrayToWrite, NpyArray, NumberArray, StringArray } from './npy';
export { formatNpz, numbersOf, readNpz, weightsArchive, writeNpz } from './npz';
export type { ReadNpzOptions } from './npz';
export { checkRegularFile, readJsonFile, readRegularFile, readTextFile, textOf } from './regular-file';
export { formatZip, readZip, type ZipLimits } from './zip';
export { halfToNumber } from './npy-elements';
