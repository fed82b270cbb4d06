export { graphImplementation, graphSide } from './graph';
export { referenceAnswer, scratchImplementation } from './scratch';
export { SideUnavailableError, type ClassifierShape, type OpenSide, type SideSource } from './side';
export {
  isSideName,
  parseSideNames,
  plainSideNames,
  sideNames,
  sideSource,
  usesLibrary,
  type SideName,
} from './side-names';
export { tfjsImplementation, tfjsSide } from './tfjs';
