export { diagnoseUpdate } from './diagnose-update';
export { ruleOnUpdate, type UpdateParty } from './rule-on-update';
