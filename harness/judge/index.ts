export { compareEvaluation, expectedTensors, namedTensors } from './compare-evaluation';
export type { CompareOptions } from './compare-evaluation';
export { compareTensor, compareTensors } from './compare-tensors';
export type { ExpectedTensor } from './compare-tensors';
export { tolerancesFor, unitRoundoff } from './tolerance';
export type { FixedTolerance, Tolerances } from './tolerance';
export { caseVerdict, formatPlace, isGreen } from './verdict';
export type { CaseVerdict, Ledger, Side, TensorStatus, TensorVerdict, WorstElement } from './verdict';
