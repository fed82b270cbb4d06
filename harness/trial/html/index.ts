export { trialPage, trialTitle } from './page';
export { trialFacts, trialSections } from './sections';
