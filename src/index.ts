export * from './backends/index';
export { childScript } from './native/index';
