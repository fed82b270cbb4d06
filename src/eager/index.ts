export { TfSimpleRNN, type TfSimpleRNNGradients, type TfSimpleRNNOptions } from './simple-rnn';
export { TfSimpleRNNClassifier, type TfSimpleRNNClassifierOptions } from './classifier';
export {
  evaluateInstrumented,
  evaluateWithTfjs,
  type EvaluateOptions,
  type InstrumentedEvaluation,
  type TfjsProblem,
} from './evaluate';
export type { TfjsEvaluation } from './run';
export type { GradientMethod } from './pass';
