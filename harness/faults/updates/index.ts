import { adamFaults } from './adam';
import { updateClippingFaults } from './clipping';
import { momentumFaults, stepFaults } from './steps-and-momentum';
import type { UpdateFault } from './update-fault';

export { customaryEpsilons, otherEpsilonInWords, otherEpsilons } from './adam';
export { updateEquivalents, type UpdateEquivalent } from './equivalents';
export {
  each,
  gradientsOf,
  HandOptimizer,
  optimizerWith,
  normOf,
  type At,
  type Memory,
  type Numbers,
  type OptimizerClass,
  type UpdateAnswer,
  type UpdateQuestion,
} from './hand-optimizer';
export { plantUpdate, type Trainee } from './plant-update';
export {
  arraysOf,
  canShowUpdate,
  firstWrong,
  isSame,
  type UpdatePart,
  type UpdateFault,
} from './update-fault';

/** Every planted fault of the optimizer. */
export const updateFaults: readonly UpdateFault[] = [
  ...stepFaults,
  ...momentumFaults,
  ...adamFaults,
  ...updateClippingFaults,
];
