export type { EquationFault, FaultyRun } from './fault';
export {
  canShowFault,
  distance,
  effectOf,
  exactFault,
  type ExactAnswer,
  faultNamed,
  faultsOf,
  runFault,
  sameRun,
} from './faults-of-network';
