import { memoizeByNumber } from '../base/memoize';
import { formulaFaults } from './by-formula';
import type { Fault } from './fault';
import { lossFaults } from './loss';
import { memoryFaults } from './memory';
import { otherLayers } from './other-layers';
import { atStep, stepFaultNames, type StepFault } from './single-step';
import { stepFaults } from './steps';
import { weightFaults } from './weights';

/** Every planted fault, by what it is a fault of. */
export const catalogue: readonly Fault[] = [
  ...formulaFaults,
  ...stepFaults,
  ...lossFaults,
  ...weightFaults,
  ...memoryFaults,
  ...otherLayers,
];

/** Every fault that one time step alone can have, planted at this one (counted from 0); made once, so that its replays are kept. */
export const faultsOfStep = memoizeByNumber((step): readonly StepFault[] =>
  catalogue.filter(({ name }) => stepFaultNames.includes(name)).map((fault) => atStep(fault, step)),
);
