export { Framework, FrameworkRefusal, frameworkNames, type FrameworkName } from './framework';
export type { FrameworkAnswer, FrameworkQuestion } from './protocol';
