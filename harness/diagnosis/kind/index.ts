export { kindFrom, kindOf, type KindOptions } from './kind';
