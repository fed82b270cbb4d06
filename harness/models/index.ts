export { describesLayers, layoutNames, readLayout, writeLayout, type LayoutName } from './layouts';
export { givesClasses, load, loadNetwork, maskValue, readSavedModel, save } from './saved-model';
export type {
  LoadedModel,
  LoadedNetworkModel,
  LoadModelOptions,
  Saveable,
  SavedModel,
  SaveOptions,
} from './saved-model';
export type { ModelMetadata, Standardisation } from './metadata';
export { describeNetwork, namedWeights, networkOf, type ModelNetwork } from './networks';
export { checkFolderName, claimDirectory, lockDirectory } from './directory';
export { openModelFile, type OpenOptions, type StateOptions } from './open';
export {
  countParameters,
  modelFormats,
  type MaskedRows,
  type ModelDescription,
  type ModelFormat,
  type ModelInput,
  type ModelLayer,
  type ModelLayerConfig,
  type OtherLayerConfig,
  type Size,
  type Source,
  type StoredAs,
} from './description';
export { layersModelText, toLayersModel, type WrittenLayersModel } from './tfjs/write';
export { passesMask, statesOf } from './shapes';
export { weightOrder } from './keras/write-layers';
export { toOnnx, type OnnxOptions } from './onnx/write';
export { fileEndings, writeFormats, writeModel, type WriteFormat, type WrittenModel } from './write';
export { servedName, servedOutput } from './savedmodel/write';
