import type { ModelLayer, Source } from '../models/index';

/** Loss gradients that arrive at a layer; undefined where none does. */
export interface ArrivingAt<T> {
  readonly output?: T;
  readonly states: readonly (T | undefined)[];
}

/** The way of loss gradients back through a model: what arrives at a layer is the sum of what the layers that read it send. */
export class Arrivals<T> {
  private readonly found = new Map<string, { output?: T; states: (T | undefined)[] }>();

  /** @param sum adds a gradient to those that arrived before it, if any did */
  constructor(private readonly sum: (before: T | undefined, gradient: T) => T) {}

  /** What arrived at a layer, or an input, of that name so far; undefined where nothing did. */
  at(name: string): ArrivingAt<T> | undefined {
    return this.found.get(name);
  }

  send({ of, state }: Source, gradient: T): void {
    const found = this.found.get(of) ?? { states: [] };
    this.found.set(of, found);
    if (state === undefined) found.output = this.sum(found.output, gradient);
    else found.states[state] = this.sum(found.states[state], gradient);
  }

  /** Sends what a layer gives back to what it reads. */
  sendFrom(
    { reads, initialStates = [] }: Pick<ModelLayer, 'reads' | 'initialStates'>,
    { input, states }: { readonly input?: T | undefined; readonly states: readonly T[] },
  ): void {
    if (input !== undefined) this.send(reads, input);
    initialStates.forEach((source, i) => {
      this.send(source, states[i]);
    });
  }
}
