export * from './backends/index';
export * from './graph/index';
export * from './native/index';
