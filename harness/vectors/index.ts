export { parseVectors, readVectors, vectorsFormat } from './json';
export { loadVectors } from './load';
export { evaluationOf } from '../problem';
export { namesFor, readProblem } from './vector-case';
export type { VectorCase } from './vector-case';
