export { diagnose } from './diagnose';
export type { DiagnoseOptions, Diagnosis, Kind, Ratio, WrongNumber } from './diagnosis';
export { inCommon, onlyWhere, sizesByLetter, sketchOf, type Sketch } from './in-common';
export { kindOf, type KindOptions } from './kind/index';
export { locate, phaseOf, type Location } from './locate';
export { diagnosisOrder } from './order';
export { ruleOn } from './rule';
export { diagnoseUpdate, questionOf, ruleOnUpdate, type UpdateParty } from './update/index';
export { isOfLayers, locateInLayers, whereIn } from './layered';
