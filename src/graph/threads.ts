import { availableParallelism } from 'node:os';
import { chainsFor } from './rnn/chains';

export interface ThreadSettings {
  /** threads that share one operation */ readonly intraOp: number;
  /** operations that run side by side; -1: none do, and the graph runs in the thread that calls it */
  readonly interOp: number;
}

/**
 * The threads that suit training steps of that size. Two chains: one thread per operation, and an operation of each chain side by
 * side; at B32 T28 U128 on two cores a step takes 2.6 ms of processor time so, and 4.4 ms when two threads share each operation.
 * One chain: the caller's own thread, because there is nothing to do side by side and handing a call over costs more than a small
 * one takes (forward at batch 1, T28 U128: 0.19 ms against 0.50 ms; T5 U4: 0.11 ms against 0.17 ms).
 */
export function threadsFor(size: { readonly batch: number; readonly units: number }): ThreadSettings {
  const chains = chainsFor(size);
  return { intraOp: 1, interOp: chains === 1 ? -1 : chains };
}

/**
 * Sets TF_NUM_INTRAOP_THREADS and TF_NUM_INTEROP_THREADS to what suits that size, where they are not set. The library reads
 * them once, when it loads, for the whole process: call this first, in the main thread.
 *
 * @returns what is set now; numbers that the caller's environment had already are kept
 * @example
 * chooseThreads({ batch: 32, units: 128 });
 * const backend = await loadBackend('tensorflow');
 */
export function chooseThreads(size: { readonly batch: number; readonly units: number }): ThreadSettings {
  const { intraOp, interOp } = threadsFor(size);
  process.env.TF_NUM_INTRAOP_THREADS ??= String(intraOp);
  process.env.TF_NUM_INTEROP_THREADS ??= String(interOp);
  return {
    intraOp: Number(process.env.TF_NUM_INTRAOP_THREADS),
    interOp: Number(process.env.TF_NUM_INTEROP_THREADS),
  };
}

/** How many operations run side by side in this process: 1 in the caller's own thread. */
export function operationsSideBySide(): number {
  const asked = Number(process.env.TF_NUM_INTEROP_THREADS ?? 0);
  if (asked === 0 || !Number.isInteger(asked)) return availableParallelism();
  return Math.max(1, asked);
}
