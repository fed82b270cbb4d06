export { ask, type Answer } from './ask';
export { examine, type Examination, type ExamineOptions } from './examine';
export { type ViewName, viewNames, viewsOf, problemIdOf, caseIdOf, plannedTensors, everyView } from './views';
export { weightProbe } from './weight-probe';
export { failingViewsOf, type FailingView } from './failing-views';
export { partBeyondSingle, questionFor, referenceFor, type Question } from './reference';
