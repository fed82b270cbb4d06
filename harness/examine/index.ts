export { examine, type Examination, type ExamineOptions } from './examine';
export { type ViewName, viewNames, problemIdOf, caseIdOf, plannedTensors, everyView } from './views';
export { weightProbe } from './weight-probe';
export { failingViewsOf, type FailingView } from './failing-views';
export { questionFor, type Question } from './reference';
