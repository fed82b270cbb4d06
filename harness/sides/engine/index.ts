export {
  createClassifier,
  modelKinds,
  openClassifier,
  openNetwork,
  pickEngine,
  type CreateClassifierOptions,
  type EngineChoice,
  type LoadedClassifier,
  type LoadedNetwork,
  type ModelKind,
  type PickedEngine,
} from './create-classifier';
export {
  engineNames,
  explainChoice,
  rankEngines,
  stepMilliseconds,
  type EngineName,
  type StepSize,
} from './step-time';
export type { BackendName } from '../../../src/index';
