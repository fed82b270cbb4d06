export { layoutNames, readLayout, writeLayout, type LayoutName } from './layouts';
export { type Standardisation, save } from './saved-model';
export { claimDirectory } from './directory';
