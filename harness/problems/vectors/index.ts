export { parseVectors, readVectors, vectorsFormats } from './json';
export { loadVectors } from './load';
export { readProblem } from './vector-case';
export type { VectorCase } from './vector-case';
