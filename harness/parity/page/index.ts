export { casesOf, type PageConfig } from './config';
export { browserSummary } from './words';
