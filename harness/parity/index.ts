export { auditLedger } from './conclude';
export type { ParityOptions } from './options';
export { runParity } from './run';
export type { Observation, Observer } from './observe';
export { formatReport } from './report';
export type { HarnessError, ParityReport, PlannedCase, SideReport, Unshown } from './report';
export { formatJunit } from './junit';
export { formatSummary } from './summary';
export { formatFailure, worstNumbers } from './text/failure-text';
export { formatVerdict } from './text/verdict-line';
export {
  generatedProblem,
  makeProblem,
  notebookProblem,
  suiteProblems,
  type ProblemRecipe,
} from './suite/index';
