import type { FitOptions } from '../../../scratch/index';
import type { GraphSimpleRNNClassifier, GraphSimpleRNNClassifierOptions } from '../classifier';

/** What the worker makes its classifier of; it loads the backend itself. */
export type WorkerClassifierOptions = Omit<GraphSimpleRNNClassifierOptions, 'backend'>;

/** The methods that go through the worker; all but `fit` and `dispose`, which are more than a question and an answer. */
export const remoteMethods = [
  'compile',
  'warmUp',
  'trainOnBatch',
  'predict',
  'predictProbabilities',
  'evaluate',
  'loss',
  'lossAndGradients',
  'getWeights',
  'setWeights',
  'getOptimizerState',
  'setOptimizerState',
] as const satisfies readonly (keyof GraphSimpleRNNClassifier)[];

export type RemoteMethod = (typeof remoteMethods)[number];

/** Functions among the options of `fit`: they stay in the caller's thread. */
export const callbacks = [
  'onBatchEnd',
  'onEpochEnd',
  'verbose',
] as const satisfies readonly (keyof FitOptions)[];
export type Callback = (typeof callbacks)[number];

export type ToWorker =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: RemoteMethod | 'fit';
      readonly args: unknown[];
    }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'close' };

/** An error without its class, which does not survive the way between threads. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
}

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }
  /** asks the caller's callback, and waits for the reply */
  | {
      readonly kind: 'callback';
      readonly id: number;
      readonly call: number;
      readonly name: Callback;
      readonly argument: unknown;
    };
