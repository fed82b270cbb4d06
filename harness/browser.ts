/*
 * `rnn-parity/browser`: the same network, twin, examination, judge and diagnosis as in Node, without a Node import, as an ES module.
 */
export * from '../src/browser/index';
export {
  createRandom,
  ScratchSimpleRNNClassifier,
  SimpleRNN,
  toTensor,
  type ClassifierWeights,
  type Tensor,
  type TensorLike,
} from '../scratch/index';
export { scratchImplementation } from './sides/reference/index';
export { describeArithmetic, type ArithmeticFacts, type FunctionError } from './sides/arithmetic/index';
export {
  edgeProblems,
  extremeProblems,
  makeProblem,
  maskProblems,
  type ProblemRecipe,
} from './problems/index';
export { examine, type Examination, type ExamineOptions } from './examine/index';
export { compareEvaluation, type CaseVerdict, type TensorVerdict } from './judge/index';
export { diagnose, type Diagnosis } from './diagnosis/index';
export { roundProblem, type Evaluation, type Implementation, type Problem } from './base/problem';
