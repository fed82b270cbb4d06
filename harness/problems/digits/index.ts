export { digitBatches, type DigitBatch } from './digits';
export { loadDigits, type Digits } from './load-digits';
export { defaultGenerated, suiteProblems } from './suite';
