export { evaluateWithGraph, GraphEvaluator } from './evaluate';
export { GraphUnavailableError, openSessions, type SessionBackend } from './session';
export { chooseLoop, longestUnrolled, type Loop } from './time/index';
export { GraphSimpleRNNClassifier, type GraphSimpleRNNClassifierOptions } from './classifier';
export { GraphNetwork, type GraphNetworkOptions } from './network';
export { SharedGraphs, type SetUp } from './compiled-graphs';
export { ServingGraph, type ServedSignal } from './serving';
export { startGraphWorker, type GraphWorkerClassifier } from './worker/graph-worker';
export type { WorkerClassifierOptions } from './worker/protocol';
