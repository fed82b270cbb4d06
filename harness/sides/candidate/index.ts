export { CandidateError, MalformedAnswerError } from '../../base/side-errors';
export { defineCandidate } from './define';
export type { Candidate, CandidateAnswer, CandidateProblem, CandidateTensor } from './define';
export { candidateImplementation, loadCandidate } from './load';
export type { CandidateImplementation, CandidateOptions } from './load';
export { plainProblem } from './plain-problem';
export { importModule } from './import-module';
