import { memoizeByNumber } from '../base/memoize';
import { formulaFaults } from './by-formula';
import { carryFaults, upstreamFaults } from './carry';
import { clippingFaults } from './clipping';
import type { Fault } from './fault';
import { lossFaults } from './loss';
import { faultsWithNumber } from './loss-with-number';
import { maskFaults } from './masks';
import { memoryFaults } from './memory';
import { otherLayers } from './other-layers';
import { precisionFaults } from './precision';
import { atStep, stepFaultNames, type StepFault } from './single-step';
import { stepFaults } from './steps';
import { sumFaults } from './sums';
import { weightFaults } from './weights';

/** Every planted fault, by what it is a fault of. */
export const catalogue: readonly Fault[] = [
  ...formulaFaults,
  ...carryFaults,
  ...upstreamFaults,
  ...stepFaults,
  ...lossFaults,
  ...faultsWithNumber,
  ...weightFaults,
  ...sumFaults,
  ...maskFaults,
  ...memoryFaults,
  ...precisionFaults,
  ...clippingFaults,
  ...otherLayers,
];

/** Every fault that one time step alone can have, planted at this one (counted from 0); made once, so that its replays are kept. */
export const faultsOfStep = memoizeByNumber((step): readonly StepFault[] =>
  catalogue.filter(({ name }) => stepFaultNames.includes(name)).map((fault) => atStep(fault, step)),
);
