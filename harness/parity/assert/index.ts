export {
  assertParity,
  isParity,
  ParityAssertionError,
  parityOf,
  type AssertParityOptions,
} from './assert-parity';
export { quickSuite, type QuickSuiteOptions } from './quick-suite';
