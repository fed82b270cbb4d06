import type { Tensor } from '../../scratch/index';
import type { ModelDescription, ModelLayer, Source } from '../models/index';

/** What a layer reads: tensors, or tensors with their possible errors. */
export interface LayerQuestion<T = Tensor> {
  /** [B, T, N] or [B, N]; integers [B, T] of an embedding */ readonly input: T;
  /** [B, T] of 0 and 1: which steps of the input exist */ readonly mask: Tensor | undefined;
  /** [B, U] each */ readonly initialStates: readonly T[];
}

/** What a layer gave. */
export interface LayerRun<T = Tensor> {
  /** [B, T, N] or [B, N] */ readonly output: T;
  /** [B, U] each */ readonly states: readonly T[];
  /** [B, T] of 0 and 1: which steps of the output exist */ readonly mask: Tensor | undefined;
}

/** By the names of inputs and layers. */
export type Runs<T = Tensor> = ReadonlyMap<string, LayerRun<T>>;

/** Loss gradients that arrive at a layer; undefined where none does. */
export interface Arriving<T = Tensor> {
  readonly output?: T | undefined;
  readonly states: readonly (T | undefined)[];
}

/** Loss gradients that a layer sends on. */
export interface Sent<T = Tensor> {
  /** absent where the inputs are integers */ readonly input?: T | undefined;
  /** at its initial states */ readonly states: readonly T[];
  readonly weights: Readonly<Record<string, T>>;
}

/** The inputs of a model as runs: what the walk forward begins with. */
export const startRuns = <T>({ inputs }: ModelDescription, given: (name: string) => T) =>
  new Map<string, LayerRun<T>>(
    inputs.map(({ name }) => [name, { output: given(name), states: [], mask: undefined }]),
  );

/** The output, or the state, that a source names. */
export function tensorOf<T>(runs: Runs<T>, { of, state }: Source): T {
  const found = runs.get(of);
  if (found === undefined) throw new Error(`${of} has not run`);
  return state === undefined ? found.output : found.states[state];
}

/** What a layer reads: the output of the one before with its mask, or one of its states. */
export const questionFrom = <T>(
  runs: Runs<T>,
  { reads, initialStates = [] }: Pick<ModelLayer, 'reads' | 'initialStates'>,
): LayerQuestion<T> => ({
  input: tensorOf(runs, reads),
  mask: reads.state === undefined ? runs.get(reads.of)?.mask : undefined,
  initialStates: initialStates.map((state) => tensorOf(runs, state)),
});

/** The way of loss gradients back through a model: what arrives at a layer is the sum of what the layers that read it send. */
export class Arrivals<T> {
  private readonly found = new Map<string, { output?: T; states: (T | undefined)[] }>();

  /** @param sum adds a gradient to those that arrived before it, if any did */
  constructor(
    upstream: readonly (Source & { readonly gradient: T })[],
    private readonly sum: (before: T | undefined, gradient: T) => T,
  ) {
    for (const { gradient, ...source } of upstream) this.send(source, gradient);
  }

  /** What arrived at a layer, or an input, of that name so far; undefined where nothing did. */
  at(name: string): Arriving<T> | undefined {
    return this.found.get(name);
  }

  /** The layers that gradients reach, from the last one on; each must `sendFrom` before the next one is asked for. */
  *through(layers: readonly ModelLayer[]): Generator<readonly [ModelLayer, Arriving<T>]> {
    for (const layer of layers.toReversed()) {
      const arriving = this.at(layer.name);
      if (arriving !== undefined) yield [layer, arriving];
    }
  }

  /** Sends what a layer gives back to what it reads. */
  sendFrom({ reads, initialStates = [] }: ModelLayer, { input, states }: Omit<Sent<T>, 'weights'>): void {
    if (input !== undefined) this.send(reads, input);
    initialStates.forEach((source, i) => {
      this.send(source, states[i]);
    });
  }

  private send({ of, state }: Source, gradient: T): void {
    const found = this.found.get(of) ?? { states: [] };
    this.found.set(of, found);
    if (state === undefined) found.output = this.sum(found.output, gradient);
    else found.states[state] = this.sum(found.states[state], gradient);
  }
}
