export * from './tensor';
export type * from './classifier-interface';
export type * from './optimizer-config';
export { createRandom, restoreRandom, type Random } from './random';
export { glorotUniform, orthogonal, scaledNormal } from './initializers';
export {
  checkChoice,
  checkFlag,
  checkOptions,
  describe,
  resembles,
  shown,
  type OptionNames,
} from './options';
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
  classifierLayers,
  mapWeights,
  resolveClassifier,
  resolveCompile,
  initialClassifierWeights,
  weightNames,
  weightsByLayer,
  weightShapes,
  weightsOfLayers,
  type ClassifierInitializer,
  type ClassifierOptions,
  type ClassifierSizes,
} from './classifier-weights';
export { ScratchSimpleRNNClassifier } from './classifier';
export {
  checkFitOptions,
  runFit,
  runFitOn,
  TrainingDivergedError,
  type FitSettings,
  type NetworkFitOptions,
  type Trainable,
  type TrainableNetwork,
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
export type { Layer, LayerPass, LayerPlan, LayerWeights, Signal } from './layer';
export type { ActivationName } from './cells/activations';
export {
  Stack,
  type StackForward,
  type StackGradients,
  type StackOptions,
  type StackUpstream,
} from './stack';
export {
  StackPlan,
  type GivenWeights,
  type LayerSequences,
  type LayerStates,
  type StackInputOptions,
} from './stack-plan';
export { someInputs, type StackInputs, type StackPass, type StackWeights } from './stack-pass';
export type { LossName, Targets } from './losses';
export type * from './network-interface';
export {
  NetworkPlan,
  resolveNetwork,
  type CheckedOptimizerState,
  type CheckedQuestion,
} from './network-plan';
export { ScratchNetwork } from './network';
