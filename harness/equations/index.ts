export type { Arithmetic } from './arithmetics/arithmetic';
export { certain, errorArithmetic } from './arithmetics/errors';
export { exactArithmetic } from './arithmetics/exact';
export { roundedArithmetic } from './arithmetics/rounded';
export { cellOf, defineCell, expressionIn, type Cell, type CellText } from './cell';
export { gradientName, type BackwardStep, type WeightShare } from './derive';
export { describeCell, textOfCell } from './describe';
export { formulaOf } from './formula-of';
export { EquationError } from './equation-error';
export {
  callOf,
  isElementwise,
  numberOf,
  operandsOf,
  productOf,
  sumOf,
  within,
  withOperands,
  type Axis,
  type Equation,
  type Expression,
  type Term,
} from './expression';
export { cells, gru, gruResetAfter, lstm, simpleRnn } from './cells/index';
export {
  chargesOf,
  derivativeAlong,
  emulateNetwork,
  estimateNetwork,
  estimates,
  evaluateNetwork,
  largestNumber,
  type Estimate,
} from './interpret';
export { instrument, type Instrumented, type Probe } from './instrument';
export { expectedStep, judgeSteps, shapesOfSteps, type JudgedStep } from './judge-steps';
export {
  cellSizes,
  expectedTensors,
  forwardOnly,
  hasBackward,
  isGradientName,
  isRecurrent,
  outputWidth,
  tensorsOf,
  type Head,
  type Layer,
  type Merge,
  type ModelAsEquations,
  type Network,
  type NetworkProblem,
  type Upstream,
} from './network';
export type { Block, Uncertain } from './operations/index';
export {
  runForward,
  stepsOf,
  type Forward,
  type FromAbove,
  type Place,
  type Ran,
  type RunOptions,
  type Step,
} from './forward';
export {
  backwardOutcome,
  forwardOutcome,
  runNetwork,
  tensorsOfOutcome,
  withNumbers,
  withSteps,
  withTensors,
  type Outcome,
} from './outcome';
export { layerAndQuantity, phaseOf, rankOf } from './order';
export { partText } from './parse';
export type { RoundingModel } from './rounding-model';
export { emulatedUnit, makeRounding, type RoundingOptions, type SummationOrder } from './rounding';
export { shapeOf } from './weights';
export { inputGradients } from './observables';
export { inWords, shareInWords } from './words';
export {
  activationSymbols,
  answerOf,
  asAnswered,
  asEvaluation,
  asOutcome,
  equationsOf,
  turned,
} from './from-model';
