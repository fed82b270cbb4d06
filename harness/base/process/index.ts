export { ChildFailure, LineProcess, type Launch } from './line-process';
export {
  decodeFloat32,
  decodeTensor,
  decodeWeights,
  encodeTensor,
  encodeWeights,
  mapRecord,
  parseAnswer,
  type OperationTable,
  type WireRequest,
  type WireTensor,
  type WireWeights,
} from './protocol';
export { findPython, pythonEnvironment } from './python';
export { ChildAbsentError, serveLines } from './serve-lines';
