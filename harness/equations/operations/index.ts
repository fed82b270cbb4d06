import type { ElementwiseName } from '../expression';
import { blend } from './blend';
import { call } from './call';
import type { Operation } from './operation';
import { product } from './product';
import { slope } from './slope';

export { countsIn, outer, type Share } from './outer';
export { sum } from './sum';
export { partsOf, sizeOfTerm, type SumTerm } from './sum-terms';
export { tallyOf } from './tally';
export { isZero, type Block, type Moving, type Operation, type Uncertain } from './operation';

/** Every operation that works element by element. */
export const operations: Readonly<Record<ElementwiseName, Operation>> = { product, call, slope, blend };
