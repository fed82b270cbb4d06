export { compareEvaluation, expectedTensors, namedTensors } from './compare-evaluation';
export type { CompareOptions } from './compare-evaluation';
export { compareTensor, compareTensors, judgeElement, placeAt } from './compare-tensors';
export type { ExpectedTensor } from './compare-tensors';
export { judgeSignal } from './signal';
export { explainByRounding, type Explanation } from './explain-by-rounding';
export { judgeNumbers, judgeTensor, type JudgedNumbers } from './judge-tensor';
export {
  hasBackward,
  judgeEquations,
  judgeLocally,
  localNames,
  localShape,
  problemForLocalJudgement,
} from './judge-locally';
export { withMoreFeatures } from './local-ledger';
export { judgeStep, type JudgedEquation, type LocalOptions } from './judge-step';
export { checkTolerance, formulaInWords, tolerancesFor } from './tolerance';
export type { FixedTolerance, Tolerances } from './tolerance';
export { caseVerdict, formatPlace, isFailing, isGreen, isOfNumbers } from './verdict';
export type { CaseVerdict, Ledger, Place, Side, TensorStatus, TensorVerdict, WorstElement } from './verdict';
export { resolveIllConditioned } from './resolve-ill-conditioned';
export { type TrainingComparison, compareTraining, plannedTraining } from './updates/compare-training';
export {
  compareUpdate,
  explainsUpdate,
  isUpdateOf,
  namedUpdate,
  showsUpdate,
  type GradientBudget,
  type MadeUpdate,
  type UpdateComparison,
} from './updates/compare-update';
export { updateReach, type Reach } from './updates/update-reach';
export {
  trainingChecks,
  type TrainingCheck,
  trainingSteps,
  trainingStepsAsync,
  type TrajectoryBatches,
  scratchFor,
  trainingRules,
} from './updates/training-checks';
