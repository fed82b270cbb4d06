export type { EquationFault, FaultyRun } from './fault';
export {
  canShowFault,
  distance,
  effectOf,
  exactFault,
  faultsOf,
  runFault,
  sameRun,
} from './faults-of-network';
