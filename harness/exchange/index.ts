export { layoutNames, readLayout, writeLayout, type LayoutName } from './layouts';
