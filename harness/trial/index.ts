export { trialFormat, type HarmlessRow, type TrialReport, type TrialRow, type TrialScore } from './report';
export { formatTrial } from './table';
export { runTrial, type TrialOptions } from './trial';
