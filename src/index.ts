export * from './backends/index';
export * from './graph/index';
export { childScript } from './native/index';
