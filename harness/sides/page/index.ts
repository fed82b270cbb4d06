export { byModelAsync } from '../by-model';
export { browserIn, pageSides, parsePageSides, refusesLayers, usualSides, type PageSide } from './sides';
export {
  readAnswered,
  readAsked,
  readWritten,
  writeAnswered,
  writeAsked,
  writeProblem,
  type Answered,
  type Asked,
  type Thrown,
} from './wire';
