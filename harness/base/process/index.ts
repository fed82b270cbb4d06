export { ChildFailure, ChildLink, type Launch } from './child-link';
export {
  decodeFloat32,
  decodeTensor,
  decodeWeights,
  encodeTensor,
  encodeWeights,
  mapRecord,
  parseAnswer,
  type OperationTable,
  type WireError,
  type WireRequest,
  type WireTensor,
  type WireWeights,
} from './protocol';
export { isRunning, startOf, type ProcessName } from './running';
export { findPython, pythonEnvironment } from './python';
export { ChildAbsentError, serveLines, serveMessages } from './serve';
