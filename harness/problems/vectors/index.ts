export { parseVectors, readVectors, vectorsFormats } from './json';
export { loadVectors } from './load';
export { namesFor, readProblem } from './vector-case';
export type { VectorCase } from './vector-case';
