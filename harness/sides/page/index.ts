export { byModelAsync } from '../by-model';
export { pageSides, parsePageSides, refusesLayers, usualSides, type PageSide } from './sides';
export { readAnswered, readAsked, writeAnswered, writeAsked, type Answered, type Asked } from './wire';
