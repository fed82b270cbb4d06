export { budgetFor, type Budget } from './budget';
export {
  askedForSteps,
  budgetForNetwork,
  emulatedAnswer,
  stepsOfNetwork,
  type NetworkBudget,
  type NetworkStep,
} from './network-budget';
export { bothSides, stagesOf, type Errors, type Spread, type Stage } from './spread';
export {
  precisionModelOf,
  precisionModels,
  withCustomaryForms,
  type PrecisionModel,
} from './precision-model';
export { rootMeanSquare, largest } from './matrix';
export {
  derivativeOf,
  doublePrecisionRun,
  networkOf,
  singlePrecisionRun,
  stepName,
  toNetworkNames,
} from './simple-rnn';
export { budgetForModel, type NamedBudget } from './model-budget';
export { emulatedRuns, measureInflation } from './inflation';
