export * from './tensor';
export type * from './classifier-interface';
export type * from './optimizer-config';
export { createRandom, restoreRandom, type Random } from './random';
export { glorotUniform, orthogonal, scaledNormal } from './initializers';
export { checkOptions, type OptionNames } from './options';
export { checkNotFitting } from './fit-lock';
export {
  checkSequences,
  checkUpstream,
  evaluateOptions,
  someOf,
  type Sequences,
  type SimpleRNNUpstream,
  type Upstream,
} from './sequences';
export { checkLabels } from './labels';
export { checkMask } from './mask';
export {
  checkSimpleRNNOptions,
  checkSimpleRNNWeights,
  SimpleRNN,
  simpleRNNWeights,
  type SimpleRNNCache,
  type SimpleRNNForward,
  type SimpleRNNGradients,
  type SimpleRNNOptions,
  type SimpleRNNWeights,
} from './simple-rnn';
export { Dense, type DenseCache, type DenseWeights } from './dense';
export { argmax, softmax, softmaxCrossEntropy, type SoftmaxCrossEntropy } from './softmax-cross-entropy';
export {
  checkOptimizerMemory,
  createOptimizer,
  resolveOptimizer,
  slotNames,
  type Optimizer,
  type OptimizerSlots,
  type ResolvedOptimizerConfig,
} from './optimizer';
export { checkClipNorm, clipByGlobalNorm, globalNorm } from './clip';
export {
  checkClassifierSizes,
  checkClassifierWeights,
  mapWeights,
  resolveClassifier,
  resolveCompile,
  stateOptions,
  initialClassifierWeights,
  weightNames,
  weightShapes,
  type ClassifierInitializer,
  type ClassifierOptions,
  type ClassifierSizes,
} from './classifier-weights';
export { ScratchSimpleRNNClassifier } from './classifier';
export {
  checkFitOptions,
  runFit,
  TrainingDivergedError,
  type FitSettings,
  type NetworkFitOptions,
  type Trainable,
} from './fit';
export type {
  BidirectionalConfig,
  DenseConfig,
  EmbeddingConfig,
  GRUConfig,
  LayerConfig,
  LSTMConfig,
  MergeMode,
  RecurrentConfig,
  SimpleRNNConfig,
  StackConfig,
  TimeDistributedConfig,
} from './layer-config';
export type { Layer, LayerPass, LayerWeights, Signal } from './layer';
export type { ActivationName } from './cells/activations';
export {
  Stack,
  type LayerStates,
  type StackForward,
  type StackGradients,
  type StackInputOptions,
  type StackOptions,
  type StackUpstream,
} from './stack';
export type { StackPass, StackWeights } from './stack-pass';
export type { LossName } from './losses';
export {
  ScratchNetwork,
  type NetworkBatchResult,
  type NetworkConfig,
  type NetworkLossAndGradients,
  type NetworkOptimizerState,
  type NetworkOptions,
  type NetworkPrediction,
  type NetworkTargets,
} from './network';
