export { trialFormat, type HarmlessRow, type TrialReport, type TrialRow, type TrialScore } from './report';
export { formatTrial } from './table';
export { runTrial, type TrialOptions } from './trial';
export type { Host } from './update-trial';
export { trialPage, trialSections, trialTitle } from './html/index';
export { readTrialReport } from './read-report';
