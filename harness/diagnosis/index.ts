export { diagnose, type DiagnoseOptions } from './diagnose';
export type { Diagnosis, Kind, WrongNumber } from './diagnosis';
export { kindOf, type KindOptions } from './kind/index';
export { locate, phaseOf, type Location } from './locate';
export { ruleOn } from './rule';
export { diagnoseUpdate, questionOf, ruleOnUpdate, type UpdateParty } from './update/index';
