export { ask, withMalformed, type Answer } from './ask';
export { diagnose, diagnoseUpdate, type DiagnoseOptions } from './diagnose';
export type { Diagnosis, Kind, Phase, WrongNumber } from './diagnosis';
export { examine, type Examination, type ExamineOptions, type Refusal, type View } from './examine';
export { caseIdOf, plannedTensors, problemIdOf, viewNames, type ViewName } from './views';
export { kindOf, type KindOptions } from './kind/index';
export { locate, phaseOf, type Location } from './locate';
export { blockOf, ringProblem, ringSizes, stepsInBlocks, type Ring } from './ring';
