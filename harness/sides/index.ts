export { graphImplementation, graphSide } from './graph';
export { referenceAnswer, scratchImplementation } from './reference/index';
export { byModel, ownCellRefused } from './by-model';
export { SideUnavailableError } from '../base/side-errors';
export type { ClassifierShape, OpenSide, SideSource } from './side';
export {
  isSideName,
  parseSideNames,
  plainSideNames,
  sideNames,
  sideSource,
  usesLibrary,
  type SideName,
} from './side-names';
export { openBackend, tfjsImplementation, tfjsSide } from './tfjs';
