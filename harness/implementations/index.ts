export { graphImplementation, graphSide } from './graph';
export { scratchImplementation } from './scratch';
export { SideUnavailableError, type ClassifierShape, type OpenSide, type SideSource } from './side';
export { tfjsImplementation, tfjsSide } from './tfjs';
