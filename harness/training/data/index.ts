export { builtInData, loadData } from './load';
export { checkFeatures, type Features } from './columns';
export { checkColumnNames, textFormatNames } from './load-options';
export type { ColumnNames, LoadOptions, TextFormat } from './load-options';
export { memoryData, notebookData, type MemoryOptions } from './generated';
export { className } from '../../base/number-text';
export { relabelled } from './labels';
export { Notes } from './notes';
export type { Decimal } from '../../base/number-text';
export { fingerprint, maskOf, type SequenceData } from './sequences';
export { splitStratified, type Split } from './split';
export {
  fitStandardisation,
  takePart,
  warnOfRounding,
  withoutMaskedSteps,
  type Part,
} from './standardisation';
export { summarize } from './summary';
