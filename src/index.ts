export * from './backends/index';
export * from './native/index';
