export * from './problem';
export * from './data/index';
export * from './exchange/index';
export * from './train/index';
