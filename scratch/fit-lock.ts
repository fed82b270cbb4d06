/** Who may change a network while `fit` runs: its own loop, or the callback that it awaits. */
type Turn = 'loop' | 'callback' | 'none';

const turns = new WeakMap<object, Turn>();

/** Holds a network for one `fit` at a time, so that two trainings never take turns on the same weights. */
export class FitLock {
  /** @throws Error when another `fit` of the same network has not ended */
  constructor(private readonly model: object) {
    if (turns.has(model)) {
      throw new Error(
        'fit: this network is being trained by another fit that has not ended; await that one first, or train a second network made from getWeights().',
      );
    }
    turns.set(model, 'none');
  }

  /** Lets the network's own methods change it until `work` returns; what it does asynchronously is not covered. */
  step<T>(work: () => T): T {
    turns.set(this.model, 'loop');
    try {
      return work();
    } finally {
      turns.set(this.model, 'none');
    }
  }

  /** Awaits a callback, which may set weights and optimizer: the loop stands still until it has ended. */
  async callback<T>(call: () => T): Promise<Awaited<T>> {
    turns.set(this.model, 'callback');
    try {
      return await call();
    } finally {
      turns.set(this.model, 'none');
    }
  }

  release(): void {
    turns.delete(this.model);
  }
}

/**
 * Call it first in every method that changes the network.
 *
 * @param inCallback whether a callback of `fit` may do it
 * @throws Error while `fit` runs
 */
export function checkNotFitting(model: object, method: string, inCallback: boolean): void {
  const turn = turns.get(model);
  if (turn === undefined || turn === 'loop' || (turn === 'callback' && inCallback)) return;
  throw new Error(
    `${method}: this network is being trained by a fit that has not ended, and two trainings at once would mix; await the fit first${inCallback ? ', or do it in one of its callbacks' : ''}.`,
  );
}
