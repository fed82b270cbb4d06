export { CandidateError, MalformedAnswerError } from '../../base/side-errors';
export { defineCandidate } from './define';
export type {
  AnyCandidate,
  Candidate,
  CandidateAnswer,
  CandidateLayersAnswer,
  CandidateLayersProblem,
  CandidateProblem,
  CandidateTensor,
  LayersCandidate,
} from './define';
export { candidateImplementation, checkSeconds, loadCandidate } from './load';
export type { CandidateImplementation, CandidateOptions } from './load';
export { plainProblem } from './calls';
export { importHere } from './import-module';
