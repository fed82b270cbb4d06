import { adamFaults } from './adam';
import { updateClippingFaults } from './clipping';
import { momentumFaults, stepFaults } from './steps-and-momentum';
import type { UpdateSpecimen } from './specimen';

export { updateEquivalents } from './equivalents';
export {
  each,
  gradientsOf,
  HandOptimizer,
  normOf,
  type At,
  type Memory,
  type Numbers,
  type OptimizerClass,
  type UpdateAnswer,
  type UpdateQuestion,
} from './hand-optimizer';
export { plantUpdate, type Trainee } from './plant-update';
export { firstWrong, type UpdatePart, type UpdateSpecimen } from './specimen';

/** Every planted fault of the optimizer. */
export const updateSpecimens: readonly UpdateSpecimen[] = [
  ...stepFaults,
  ...momentumFaults,
  ...adamFaults,
  ...updateClippingFaults,
];
