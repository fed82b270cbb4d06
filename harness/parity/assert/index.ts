export { assertParity, isParity, parityOf, type AssertParityOptions } from './assert-parity';
export { ParityAssertionError } from './parity-error';
export { quickSuite, type QuickSuiteOptions } from './quick-suite';
