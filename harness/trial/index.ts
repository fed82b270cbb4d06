export { trialFormat, type HarmlessRow, type TrialReport, type TrialRow, type TrialScore } from './report';
export { runTrial, type TrialOptions } from './trial';
export { emulatedHost, runLayersTrial, type LayersTrialOptions } from './layers';
export { rememberAnswers } from './remember-answers';
export { formatTrial, trialPage, trialSections, trialTitle } from './document';
export { readTrialReport } from './read-report';
