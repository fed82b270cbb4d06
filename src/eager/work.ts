import type * as Tf from '@tensorflow/tfjs';
import type { StackWeights, Tensor } from '../../scratch/index';
import { read, readAll, type ValuesOf } from '../to-tensors';
import type { NetworkMethod } from './method';
import { assignVariables } from './variables';

/** The tensors of one piece of work that are read at its end, whatever tidies and tapes end before. */
export class Work {
  private readonly tensors = new Set<Tf.Tensor>();

  constructor(private readonly tf: typeof Tf) {}

  readonly keep = <T extends Tf.Tensor>(tensor: T): T => {
    // a variable, or a tensor of the network's, outlives the work
    if (!tensor.kept) {
      this.tf.keep(tensor);
      this.tensors.add(tensor);
    }
    return tensor;
  };

  /** Waits for all of them. */
  read(): Promise<ValuesOf> {
    return readAll([...this.tensors]);
  }

  release(): void {
    for (const tensor of this.tensors) tensor.dispose();
  }
}

export function readLayers(layers: readonly (readonly Tf.Tensor[])[], valuesOf: ValuesOf): Tensor[][] {
  return layers.map((layer) => layer.map((tensor) => read(tensor, valuesOf)));
}

/** All of the weights or, when one does not fit float32, none. */
export function assignWeights(
  tf: typeof Tf,
  { variables }: NetworkMethod,
  weights: StackWeights,
  name: string,
): void {
  assignVariables<string>(tf, numbered(variables), numbered(weights), name);
}

/** By layer and name as one record: [1]: kernel. */
function numbered<T>(layers: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  return Object.fromEntries(
    layers.flatMap((layer, i) => Object.entries(layer).map(([key, value]) => [`[${i}]: ${key}`, value])),
  );
}
