export * from './backends/index';
export * from './eager/index';
export * from './graph/index';
export * from './native/index';
