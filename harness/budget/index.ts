export {
  budgetFor,
  type Budget,
  deviations,
  shortDouble,
  deviationsInMean,
  fewestDeviationsInMean,
} from './budget';
export { precisionModelOf, precisionModels, type PrecisionModel } from './precision-model';
export { rootMeanSquare, largest } from './matrix';
export { dualRun } from './dual-numbers';
export { singlePrecisionRun } from './single-precision';
export { emulatedRunOptions, emulatedRuns } from './inflation';
export { instrumentedProblem, localEquations, type LocalEquation } from './local';
