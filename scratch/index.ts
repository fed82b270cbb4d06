export * from './tensor';
export type * from './classifier-interface';
export type * from './optimizer-config';
