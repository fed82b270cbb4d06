export { layoutNames, readLayout, writeLayout, type LayoutName } from './layouts';
export { layersNames, maskValue } from './layers-model';
export { load, readSavedModel, save } from './saved-model';
export type {
  LoadedModel,
  LoadModelOptions,
  ModelMetadata,
  SavedModel,
  SaveOptions,
  Standardisation,
} from './saved-model';
export { claimDirectory, lockDirectory } from './directory';
export { refuseOtherFormats } from './other-formats';
export { openModelFile, type OpenOptions } from './open';
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
export { statesOf } from './shapes';
export { toKeras, type WrittenKeras } from './keras/write';
export { toOnnx, type OnnxOptions, type WrittenOnnx } from './onnx/write';
export { writeFormats, writeModel, type WriteFormat, type WrittenModel } from './write';
export { servedName, servedOutput } from './savedmodel/write';
