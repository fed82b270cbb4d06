import type * as Tf from '@tensorflow/tfjs';

/**
 * Fixes the gradient of `Unpack` (tf.unstack) for a single slice.
 *
 * tfjs 4.22.0 hands a gradient function a list of upstream gradients when the kernel has several outputs, but a bare
 * tensor when it has one; the published gradient of Unpack passes it to tf.stack unchecked and throws "Argument
 * `tensors` passed to `stack` must be a Tensor[]". tf.layers.simpleRNN unstacks its inputs over time, so the gradient
 * for the inputs fails for sequences of one step without this. The formula is tfjs's own: dValue = stack(dy).
 */
export function fixUnpackGradient(tf: typeof Tf): void {
  tf.registerGradient({
    kernelName: 'Unpack',
    gradFunc: (dy, _saved, attributes) => ({
      value: () => tf.stack(Array.isArray(dy) ? dy : [dy], attributes['axis'] as number),
    }),
  });
}
