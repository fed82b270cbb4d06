export { Framework, FrameworkRefusal, type FrameworkOptions } from './framework';
export type { FrameworkAnswer, FrameworkQuestion, FrameworkSource } from './protocol';
