export { measureConstants, type FunctionError } from './function-errors';
export { describeArithmetic, type ArithmeticFacts } from './facts';
