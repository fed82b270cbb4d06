export {
  backendNames,
  browserBackendNames,
  isBackendName,
  type BackendName,
  type BrowserBackendName,
} from './backend-name';
export { checkComputation } from './check-computation';
export { prepareCpu } from './cpu';
export { checkBackend, type LoadedBackend, type PreparedBackend } from './loaded-backend';
export { openBackend } from './open-backend';
export type { SavedModel, SummaryFileWriter, TensorflowNode } from './tensorflow-node';
export { BackendUnavailableError } from './unavailable';
export { fixUnpackGradient } from './unpack-gradient';
