export { anySideSource, parseAnySides, type AnySideName } from './source';
export { frameworkImplementation } from './implementation';
export { questionOf } from './question';
