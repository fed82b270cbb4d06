export { checkComputation } from './check-computation';
export {
  backendNames,
  BackendUnavailableError,
  browserBackendNames,
  checkBackend,
  isBackendName,
  type BackendName,
  type BrowserBackendName,
  type LoadedBackend,
  type PreparedBackend,
} from './loaded-backend';
export { fixUnpackGradient, openBackend, prepareCpu } from './open-backend';
export type { SavedModel, SummaryFileWriter, TensorflowNode } from './tensorflow-node';
