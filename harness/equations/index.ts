export { defineCell, type Cell, type CellText } from './cell';
export { describeCell } from './describe';
export { EquationError } from './equation-error';
export { cells, gru, gruResetAfter, lstm, simpleRnn } from './cells/index';
export {
  derivativeAlong,
  emulateNetwork,
  estimateNetwork,
  evaluateNetwork,
  type Estimate,
} from './interpret';
export { instrument, type Instrumented, type Probe } from './instrument';
export { judgeSteps, type JudgedStep } from './judge-steps';
export type { Head, Layer, Merge, Network, NetworkProblem, Upstream } from './network';
export type { RoundingModel } from './rounding-model';
export type { RoundingOptions, SummationOrder } from './rounding';
export { answerOf, asOutcome, equationsOf, estimatesOf, type ModelAsEquations } from './from-model';
