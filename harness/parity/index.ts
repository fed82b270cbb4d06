export { auditReport } from './audit';
export type { Observation, Observer, ParityOptions } from './options';
export { runParity } from './run';
export { checkReport, formatReport } from './report-file';
export type { HarnessError, ParityReport, PlannedCase, SideReport, Unshown } from './report';
export { formatJunit } from './junit';
export { formatFailure, formatSummary, worstNumbers } from './text/summary';
export { formatVerdict } from './text/verdict-line';
