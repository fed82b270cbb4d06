export { TfSimpleRNN, type TfSimpleRNNGradients, type TfSimpleRNNOptions } from './simple-rnn';
export { TfSimpleRNNClassifier, type TfSimpleRNNClassifierOptions } from './classifier';
export { evaluateWithTfjs, evaluateWithTfjsAsync, type EvaluateOptions } from './evaluate';
export { updateWithTfjsAsync, type UpdateOptions, type Updated } from './update';
export type { GradientMethod } from './method';
export { gruResetAfter, registerGRUResetAfter, type GRUResetAfterArgs } from './gru-reset-after';
export { TfNetwork, type TfNetworkOptions } from './tf-network';
export { registerLayers } from './layers-model';
