export { evaluateWithGraph, GraphEvaluator } from './evaluate';
export { GraphUnavailableError, openSessions, type SessionBackend } from './session';
export { chooseLoop, longestUnrolled, type Loop } from './rnn/loop-choice';
export { GraphSimpleRNNClassifier, type GraphSimpleRNNClassifierOptions } from './classifier';
export type { SetUp } from './compiled-graphs';
export { startGraphWorker, type GraphWorkerClassifier } from './worker/graph-worker';
export type { WorkerClassifierOptions } from './worker/protocol';
