export {
  Framework,
  FrameworkRefusal,
  frameworkNames,
  isFrameworkName,
  type FrameworkName,
  type FrameworkOptions,
} from './framework';
export type { FrameworkAnswer, FrameworkLoss, FrameworkQuestion, FrameworkSource } from './protocol';
