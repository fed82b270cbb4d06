export * from './problem';
export * from './data/index';
export * from './exchange/index';
export { createClassifier, pickEngine } from './engine/index';
export type { CreateClassifierOptions, EngineChoice, LoadedClassifier, PickedEngine } from './engine/index';
export * from './train/index';
export * from './assert/index';
export { defineCandidate, CandidateError, loadCandidate } from './candidate/index';
export type {
  Candidate,
  CandidateAnswer,
  CandidateImplementation,
  CandidateProblem,
  CandidateTensor,
} from './candidate/index';
export {
  scratchImplementation,
  SideUnavailableError,
  tfjsImplementation,
  tfjsSide,
} from './implementations/index';
export type { OpenSide, SideSource } from './implementations/index';
export type { BlindSpot } from './input-power/index';
export { compareEvaluation } from './judge/index';
export type { CaseVerdict, TensorVerdict } from './judge/index';
export { formatReport, formatSummary, runParity } from './parity/index';
export type { ParityOptions, ParityReport } from './parity/index';
export { loadVectors, parseVectors } from './vectors/index';
export type { VectorCase } from './vectors/index';
