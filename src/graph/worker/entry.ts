import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { FitOptions } from '../../../scratch/index';
import { loadBackend } from '../../native/index';
import { GraphSimpleRNNClassifier } from '../classifier';
import {
  callbacks,
  type FromWorker,
  type PlainError,
  type ToWorker,
  type WorkerClassifierOptions,
} from './protocol';

// The worker's side: one classifier. A call that comes while `fit` waits for a callback is answered at once, so that a callback
// can ask too; the classifier itself refuses what may not happen meanwhile.

async function serve(port: MessagePort): Promise<void> {
  const send = (message: FromWorker): void => port.postMessage(message);
  const waiting = new Map<number, (value: unknown) => void>();
  let asked = 0;
  const model = new GraphSimpleRNNClassifier({
    ...(workerData as WorkerClassifierOptions),
    backend: await loadBackend('tensorflow'),
  });

  /** The options of `fit`, with functions that ask the caller's thread instead of those it kept. */
  const withCallbacks = (options: Record<string, unknown>, call: number): FitOptions => {
    const remote = callbacks.filter((name) => options[name] === 'remote');
    return {
      ...options,
      ...Object.fromEntries(
        remote.map((name) => [
          name,
          (argument: unknown) =>
            new Promise((resolve) => {
              waiting.set(++asked, resolve);
              send({ kind: 'callback', id: asked, call, name, argument });
            }),
        ]),
      ),
    };
  };

  const answer = async ({ id, method, args }: Extract<ToWorker, { kind: 'call' }>): Promise<void> => {
    try {
      const given =
        method === 'fit' ? [args[0], args[1], withCallbacks(args[2] as Record<string, unknown>, id)] : args;
      const methods = model as unknown as Record<string, (...given: unknown[]) => unknown>;
      send({ kind: 'result', id, value: await methods[method](...given) });
    } catch (error) {
      send({ kind: 'error', id, error: plain(error) });
    }
  };

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'call') void answer(message);
    else if (message.kind === 'close') {
      model.dispose();
      port.close();
    } else {
      waiting.get(message.id)?.(message.value);
      waiting.delete(message.id);
    }
  });
  send({ kind: 'ready' });
}

function plain(error: unknown): PlainError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) };
}

if (parentPort !== null) void serve(parentPort);
