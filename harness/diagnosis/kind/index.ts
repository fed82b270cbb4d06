export { kindOf, type KindOptions } from './kind';
