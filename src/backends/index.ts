export { backendNames, isBackendName, type BackendName } from './backend-name';
export type { LoadedBackend } from './loaded-backend';
export { loadBackend } from './load';
export type { SavedModel, SummaryFileWriter, TensorflowNode } from './tensorflow-node';
export { BackendUnavailableError } from './unavailable';
export { probeBackend, type ProbeAnswer } from './probe';
