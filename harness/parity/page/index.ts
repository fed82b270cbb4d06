export { browserSummary } from './words';
