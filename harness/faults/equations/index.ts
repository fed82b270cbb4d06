export type { EquationFault, FaultyRun, Occasion } from './fault';
export {
  canShowFault,
  distance,
  effectOf,
  effectOfRun,
  exactFault,
  type ExactAnswer,
  faultNamed,
  faultsOf,
  rightOutcome,
  runFault,
  sameRun,
} from './faults-of-network';
export { termsOf } from './backward-faults';
export type { FirstWrong } from './family';
export { fittedFaults, fittedNamed } from './fitted-faults';
export { formatFaults, toFloat16 } from './format-faults';
export { atOtherSteps, next, previous, withValue } from './pass-fault';
