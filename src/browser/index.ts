export {
  BackendUnavailableError,
  browserBackendNames,
  type BrowserBackendName,
  type LoadedBackend,
} from '../backends/index';
export * from '../eager/index';
export type { NetworkEvaluation, NetworkProblem } from '../problem';
export { describeWebgl, describeWebgpu, type Device } from './device';
export { loadBrowserBackend, type BrowserBackendOptions } from './load-browser-backend';
