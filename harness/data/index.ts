export { loadDigits, type Digits } from './digits';
export { builtInData, loadData, type LoadOptions } from './load';
export type { ColumnNames } from './delimited';
export { memoryData, notebookData, type MemoryOptions } from './generated';
export { fingerprint, maskOf, type SequenceData } from './sequences';
export { splitStratified, type Split } from './split';
export { fitStandardisation, takePart, type Part, type Standardisation } from './standardisation';
export { summarize } from './summary';
