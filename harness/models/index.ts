export { layoutNames, readLayout, writeLayout, type LayoutName } from './layouts';
export { load, readSavedModel, save, type LoadedModel, type Standardisation } from './saved-model';
export { claimDirectory } from './directory';
