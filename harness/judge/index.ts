export { compareEvaluation, expectedTensors, namedTensors } from './compare-evaluation';
export type { CompareOptions } from './compare-evaluation';
export { compareTensor, compareTensors } from './compare-tensors';
export type { ExpectedTensor } from './compare-tensors';
export { budgetFor, type Budget } from './budget/budget';
export { precisionModelOf, precisionModels, type PrecisionModel } from './budget/precision-model';
export { judgeTensor } from './judge-tensor';
export {
  hasBackward,
  judgeEquations,
  judgeLocally,
  localNames,
  localShape,
  madeBy,
  problemForLocalJudgement,
  rankOf,
  type JudgedEquation,
  type LocalName,
  type LocalOptions,
} from './judge-locally';
export { tolerancesFor } from './tolerance';
export type { FixedTolerance, Tolerances } from './tolerance';
export { caseVerdict, formatPlace, isGreen } from './verdict';
export type { CaseVerdict, Ledger, Side, TensorStatus, TensorVerdict, WorstElement } from './verdict';
export { settleLocally } from './settle';
export { judgeSignal } from './signal';
export { weightProbe } from './weight-probe';
export type { LocalEquation } from './budget/local-equations';
