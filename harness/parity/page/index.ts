export { parsePageSides, usualSides, type PageSide } from './sides';
export { browserSummary } from './words';
