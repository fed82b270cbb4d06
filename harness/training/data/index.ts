export { builtInData, loadData } from './load';
export type { ColumnNames, LoadOptions } from './load-options';
export { memoryData, notebookData, type MemoryOptions } from './generated';
export { fingerprint, maskOf, type SequenceData } from './sequences';
export { splitStratified, type Split } from './split';
export { fitStandardisation, takePart, type Part } from './standardisation';
export { summarize } from './summary';
