import type * as Tf from '@tensorflow/tfjs';
import { readAll, type ValuesOf } from '../to-tensors';

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

  /** Keeps every tensor in an object or array. */
  keepAll<T>(container: T): T {
    if (container instanceof this.tf.Tensor) this.keep(container);
    else if (typeof container === 'object' && container !== null)
      for (const part of Object.values(container)) this.keepAll(part);
    return container;
  }

  /** Waits for all of them. */
  read(): Promise<ValuesOf> {
    return readAll([...this.tensors]);
  }

  release(): void {
    for (const tensor of this.tensors) tensor.dispose();
  }
}
