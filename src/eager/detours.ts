import type * as Tf from '@tensorflow/tfjs';
import type { LoadedBackend } from '../backends/index';

/**
 * Ways around defects of TensorFlow.js 4.22 (docs/browser.md has the table, with a reproduction each). A backend that was opened
 * `asIs` takes none of them: it computes what tf.layers computes for everybody.
 */
export interface Detours {
  /**
   * webgl keeps a matrix in blocks of 2 x 2. At an odd number of rows the gradient of `tf.logSoftmax` leaves Infinity in the row that
   * pads the last block, and a packed product over the rows adds 0 times it: NaN.
   */
  readonly clearsPadding: boolean;
  /** webgpu compiles no shader for the transpose of a mask that was cast to bool and back: the layer's cell runs step by step. */
  readonly masksByStep: boolean;
}

export function detoursOf({ name, asIs = false }: Pick<LoadedBackend, 'name' | 'asIs'>): Detours {
  return { clearsPadding: name === 'webgl' && !asIs, masksByStep: name === 'webgpu' && !asIs };
}

/**
 * The same numbers; their gradient passes through `where`, which has no packed form: its result is packed anew, with zeros as padding.
 *
 * @param x any shape
 */
export function clearPaddingOfGradient<T extends Tf.Tensor>(tf: typeof Tf, x: T): T {
  const same = tf.customGrad((given) => ({
    value: tf.clone(given as Tf.Tensor),
    gradFunc: (dy: Tf.Tensor) => tf.where(tf.onesLike(dy).toBool(), dy, 0),
  }));
  return same(x) as T;
}
