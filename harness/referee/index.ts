export { dualRun, type Direction, type DualRun } from './dual-numbers';
export {
  sideAtFault,
  type Party,
  type RefereeOptions,
  type Ruling,
  type TensorRuling,
} from './side-at-fault';
export { singlePrecisionRun, type SinglePrecisionOptions } from './single-precision';
