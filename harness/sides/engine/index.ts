export { explainChoice, rankEngines } from './choose-engine';
export {
  createClassifier,
  modelKinds,
  openClassifier,
  openNetwork,
  pickEngine,
  type BackendName,
  type ClassifierShape,
  type CreateClassifierOptions,
  type EngineChoice,
  type LoadedClassifier,
  type LoadedNetwork,
  type ModelKind,
  type PickedEngine,
} from './create-classifier';
export { engineNames, stepMilliseconds, type EngineName, type StepSize } from './step-time';
