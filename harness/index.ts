export {
  evaluationOf,
  expectedNames,
  expectedShape,
  isLayered,
  mapProblem,
  roundProblem,
  sizesOf,
  tensorAxes,
  tensorNames,
  tensorOf,
} from './base/problem';
export type {
  AnyProblem,
  AxisName,
  ByLayer,
  Evaluation,
  Implementation,
  LayeredEvaluation,
  LayeredImplementation,
  LayeredProblem,
  Model,
  ModelLayer,
  OwnCellConfig,
  Phase,
  Precision,
  Problem,
  ProblemSizes,
  ProblemWeights,
  TensorName,
} from './base/problem';
export { loadDigits, type Digits } from './problems/digits/index';
export {
  builtInData,
  className,
  fingerprint,
  fitStandardisation,
  loadData,
  maskOf,
  memoryData,
  notebookData,
  Notes,
  splitStratified,
  summarize,
  takePart,
  warnOfRounding,
} from './training/data/index';
export type {
  ColumnNames,
  Decimal,
  LoadOptions,
  MemoryOptions,
  Part,
  SequenceData,
  Split,
  TextFormat,
} from './training/data/index';
export * from './models/index';
export {
  assertModelParity,
  checkModel,
  checkVerdict,
  convertModel,
  formatCheck,
  ModelAssertionError,
} from './check/index';
export type { CheckedSide, CheckOptions, CheckReport, Difference } from './check/index';
export { createClassifier, pickEngine } from './sides/engine/index';
export type {
  CreateClassifierOptions,
  EngineChoice,
  LoadedClassifier,
  PickedEngine,
} from './sides/engine/index';
export * from './training/index';
export * from './parity/assert/index';
export { defineCandidate, CandidateError, loadCandidate } from './sides/candidate/index';
export type {
  Candidate,
  CandidateLayersAnswer,
  CandidateLayersProblem,
  LayersCandidate,
  CandidateAnswer,
  CandidateImplementation,
  CandidateProblem,
  CandidateTensor,
} from './sides/candidate/index';
export { scratchImplementation, SideUnavailableError, tfjsImplementation, tfjsSide } from './sides/index';
export type { OpenSide, SideSource } from './sides/index';
export type { BlindSpot } from './coverage/index';
export { compareEvaluation } from './judge/index';
export type { CaseVerdict, TensorVerdict } from './judge/index';
export { formatReport, formatSummary, runParity } from './parity/index';
export type { ParityOptions, ParityReport } from './parity/index';
export { loadVectors, parseVectors } from './problems/vectors/index';
export type { VectorCase } from './problems/vectors/index';
export {
  cells,
  defineCell,
  describeCell,
  emulateNetwork,
  EquationError,
  estimateNetwork,
  evaluateNetwork,
} from './equations/index';
export type { Cell, CellText, Estimate, Network, NetworkProblem } from './equations/index';
