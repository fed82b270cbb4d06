export { budgetFor, type Budget, shortDouble } from './budget';
export { bothSides, stagesOf, type Errors, type Spread, type Stage } from './spread';
export {
  precisionModelOf,
  precisionModels,
  withCustomaryForms,
  type PrecisionModel,
} from './precision-model';
export { rootMeanSquare, largest } from './matrix';
export { dualRun } from './dual-numbers';
export { singlePrecisionRun } from './single-precision';
export { emulatedRunOptions, emulatedRuns } from './inflation';
export { instrumentedProblem, localEquations, type LocalEquation } from './local';
