export { budgetFor, type Budget } from './budget';
export {
  askedForSteps,
  budgetForNetwork,
  emulatedAnswer,
  stepsOfNetwork,
  type NetworkBudget,
  type NetworkStep,
} from './network-budget';
export {
  allowedOf,
  bothSides,
  possibleOf,
  stagesOf,
  whyUnclear,
  type Errors,
  type Spread,
  type Stage,
} from './spread';
export {
  precisionModelOf,
  precisionModels,
  withCustomaryForms,
  type PrecisionModel,
} from './precision-model';
export { derivativeOf, doublePrecisionRun, singlePrecisionRun } from './runs';
export { emulatedRuns, measureInflation } from './inflation';
