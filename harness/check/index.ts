export {
  checkModel,
  type CheckedSide,
  type CheckOptions,
  type CheckReport,
  type Difference,
} from './check-model';
export { convertModel, type ConvertOptions } from './convert';
export type { Cause } from './causes';
export { generateInputs, readInputs, readOutputs } from './inputs';
export { runReference, tensorOf, type LayerRun, type ModelInputs } from './reference';
export { checkDocument, checkJunit, checkVerdict, differenceInWords, formatCheck } from './report';
export { parseModelSides, sideNames, type SideName } from './sides/index';
