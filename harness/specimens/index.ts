import { carryFaults } from './carry';
import { lossFaults } from './loss';
import { slopeFaults } from './slope';
import type { Specimen } from './specimen';
import { stepFaults } from './steps';
import { weightFaults } from './weights';

export { HandNetwork } from './hand-network';
export { plant, type Specimen } from './specimen';

/** Every planted fault. */
export const specimens: readonly Specimen[] = [
  ...carryFaults,
  ...slopeFaults,
  ...stepFaults,
  ...lossFaults,
  ...weightFaults,
];
