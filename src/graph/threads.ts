import { availableParallelism } from 'node:os';

/** The threads of one session. */
export interface ThreadSettings {
  /** threads that share one operation */ readonly intraOp: number;
  /** operations that run side by side; -1: none do, and the graph runs in the thread that calls it */
  readonly interOp: number;
}

/**
 * The threads that suit a graph of that many chains, unless TF_NUM_INTRAOP_THREADS or TF_NUM_INTEROP_THREADS say otherwise.
 * One thread per operation: at B32 T28 U128 on two cores a step takes 2.6 ms of processor time so, and 4.4 ms when two threads
 * share each operation. Two chains: an operation of each side by side. One chain: the caller's own thread, because handing
 * a call over costs more than a small one takes (B10 T5 F2 U4: 0.10 ms a step against 0.21 ms).
 */
export function threadsFor(chains: number): ThreadSettings {
  return {
    intraOp: asked('TF_NUM_INTRAOP_THREADS') ?? 1,
    interOp: asked('TF_NUM_INTEROP_THREADS') ?? (chains === 1 ? -1 : chains),
  };
}

/** How many operations can run side by side: 1 in the caller's own thread. */
export function operationsSideBySide(): number {
  return Math.max(1, asked('TF_NUM_INTEROP_THREADS') ?? availableParallelism());
}

/** A whole number other than 0, which leaves the choice to others. */
function asked(variable: string): number | undefined {
  const number = Number(process.env[variable] ?? 0);
  return Number.isInteger(number) && number !== 0 ? number : undefined;
}
