export { GraphBuilder, type WhileLoop } from './graph-builder';
export type * from './graph-tensor';
export type { Ops } from './ops';
export { encodeSessionConfig } from './schema';
