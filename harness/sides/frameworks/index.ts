export {
  Framework,
  FrameworkRefusal,
  frameworkNames,
  isFrameworkName,
  type FrameworkName,
  type FrameworkOptions,
} from './framework';
export type { FrameworkAnswer, FrameworkQuestion, FrameworkSource } from './protocol';
