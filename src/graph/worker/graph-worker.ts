import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FitOptions, History, TensorLike } from '../../../scratch/index';
import { childScript } from '../../native/index';
import type { GraphSimpleRNNClassifier } from '../classifier';
import {
  callbacks,
  remoteMethods,
  type FromWorker,
  type PlainError,
  type RemoteMethod,
  type ToWorker,
  type WorkerClassifierOptions,
} from './protocol';

type Asynchronous<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
type Remote = { readonly [K in RemoteMethod]: Asynchronous<GraphSimpleRNNClassifier[K]> };

/** `GraphSimpleRNNClassifier` in a thread of its own: the same methods, each returning a promise. */
export interface GraphWorkerClassifier extends Remote {
  fit(inputs: TensorLike, labels: ArrayLike<number>, options?: FitOptions): Promise<History>;
  /** Frees the classifier and ends the thread; calls that are not answered yet are rejected. */
  dispose(): Promise<void>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly callbacks: Readonly<Record<string, unknown>>;
}

/**
 * Starts a thread (about 1.5 s) that loads the native library and makes a classifier there, so that the caller's thread
 * stays free while a step runs. The callbacks of `fit` run in the caller's thread and are awaited. The thread does not keep
 * the process alive while nothing is asked of it.
 *
 * @throws the error of the classifier's constructor or of loading the backend
 * @example
 * const model = await startGraphWorker({ features: 28, units: 128, classes: 10 });
 * await model.fit(inputs, labels, { epochs: 5, onEpochEnd: ({ loss }) => console.log(loss) });
 * await model.dispose();
 */
export async function startGraphWorker(options: WorkerClassifierOptions): Promise<GraphWorkerClassifier> {
  const [script, ...argv] = childScript(path.join(__dirname, 'entry'));
  const worker = new Worker(script, { argv, workerData: options });
  const pending = new Map<number, Pending>();
  let last = 0;
  let closed: Error | undefined;
  const send = (message: ToWorker): void => worker.postMessage(message);

  const settle = (id: number): Pending | undefined => {
    const entry = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) worker.unref();
    return entry;
  };

  const ask = (
    method: RemoteMethod | 'fit',
    args: unknown[],
    kept: Pending['callbacks'] = {},
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closed) throw closed;
      pending.set(++last, { resolve, reject, callbacks: kept });
      worker.ref();
      try {
        send({ kind: 'call', id: last, method, args });
      } catch (error) {
        settle(last);
        throw error;
      }
    });

  const callBack = async ({
    id,
    call,
    name,
    argument,
  }: Extract<FromWorker, { kind: 'callback' }>): Promise<void> => {
    const entry = pending.get(call);
    try {
      const value = await (entry?.callbacks[name] as (argument: unknown) => unknown)(argument);
      // only `false` means something to `fit`
      send({ kind: 'reply', id, value: value === false ? false : undefined });
    } catch (error) {
      // the caller's own error ends training and is what `fit` rejects with
      pending.get(call)?.reject(error as Error);
      send({ kind: 'reply', id, value: false });
    }
  };

  await new Promise<void>((resolve, reject) => {
    const close = (error: Error): void => {
      closed = error;
      reject(error);
      for (const entry of pending.values()) entry.reject(error);
      pending.clear();
    };
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'callback') void callBack(message);
      else if (message.kind === 'result') settle(message.id)?.resolve(message.value);
      else settle(message.id)?.reject(revive(message.error));
    });
    worker.on('error', (error) => close(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) =>
      close(new Error(`the graph worker has ended (exit code ${code}); start another one.`)),
    );
  });
  worker.unref();

  const remote = Object.fromEntries(
    remoteMethods.map((method) => [method, (...args: unknown[]) => ask(method, args)]),
  ) as unknown as Remote;
  return {
    ...remote,
    fit: (inputs, labels, fitOptions = {}) => {
      const kept = Object.fromEntries(
        callbacks.flatMap((name) => (fitOptions[name] ? [[name, callbackOf(name, fitOptions[name])]] : [])),
      );
      const marks = Object.fromEntries(Object.keys(kept).map((name) => [name, 'remote']));
      return ask('fit', [inputs, labels, { ...fitOptions, ...marks }], kept) as Promise<History>;
    },
    dispose: async () => {
      if (closed) return;
      worker.ref();
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      send({ kind: 'close' });
      await ended;
    },
  };
}

function callbackOf(name: string, value: unknown): unknown {
  return name === 'verbose' && value === true ? (line: string) => console.log(line) : value;
}

function revive({ name, message }: PlainError): Error {
  const error =
    name === 'RangeError'
      ? new RangeError(message)
      : name === 'TypeError'
        ? new TypeError(message)
        : new Error(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true });
  return error;
}
