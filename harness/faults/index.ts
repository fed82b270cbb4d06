import { upstreamFaults } from './upstream';
import { carryFaults } from './carry';
import { clippingFaults } from './clipping';
import { lossFaults } from './loss';
import { maskFaults } from './masks';
import { memoryFaults } from './memory';
import { precisionFaults } from './precision';
import { slopeFaults } from './slope';
import type { Fault } from './fault';
import { stepFaults } from './steps';
import { sumFaults } from './sums';
import { weightFaults } from './weights';

export { changeGradients, gradientNorm, layerNames, mapTensor, weightNames } from './answers';
export { truncated } from './carry';
export { clippedByNorm, clippedByNormOfEach, clippedByValue } from './clipping';
export { HandNetwork } from './hand-network';
export { equivalents } from './equivalents';
export { plant, rightAnswer } from './plant';
export { toFloat16 } from './precision';
export { stepFaultNames, faultsOfStep } from './single-step';
export { canShow, families, type Family, type NetworkClass, type Fault, type StepFault } from './fault';
export {
  each,
  firstWrong,
  gradientsOf,
  HandOptimizer,
  normOf,
  plantUpdate,
  updateEquivalents,
  updateFaults,
  type At,
  type Memory,
  type Numbers,
  type OptimizerClass,
  type Trainee,
  type UpdateAnswer,
  type UpdateQuestion,
  type UpdateFault,
} from './updates/index';
export { weightOff, withWeights, type WeightName } from './weights';

/** Every planted fault, by what it is a fault of. */
export const catalogue: readonly Fault[] = [
  ...carryFaults,
  ...upstreamFaults,
  ...slopeFaults,
  ...stepFaults,
  ...lossFaults,
  ...weightFaults,
  ...sumFaults,
  ...maskFaults,
  ...memoryFaults,
  ...precisionFaults,
  ...clippingFaults,
];
export { heldOut, heldOutUpdates } from './held-out';
