export { diagnose } from './diagnose';
export type { DiagnoseOptions, Diagnosis, Kind, Ratio, WrongNumber } from './diagnosis';
export { onlyWhere } from './in-common';
export { kindOf, type KindOptions } from './kind/index';
export { locate, phaseOf, type Location } from './locate';
export { diagnosisOrder } from './order';
export { ruleOn } from './rule';
export { diagnoseUpdate, questionOf, ruleOnUpdate, type UpdateParty } from './update/index';
export { diagnoseLayered, isOfLayers, kindOfLayered, whereIn } from './layered';
