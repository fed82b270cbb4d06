export {
  backendNames,
  BackendUnavailableError,
  isBackendName,
  type BackendName,
  type LoadedBackend,
  type SavedModel,
  type SummaryFileWriter,
  type TensorflowNode,
} from './backends/index';
export * from './eager/index';
export * from './graph/index';
export * from './native/index';
export type { NetworkEvaluation, NetworkProblem } from './problem';
