import type * as Tf from '@tensorflow/tfjs';

const known = new WeakSet<typeof Tf>();

/**
 * Makes Keras 3's hard sigmoid known to TensorFlow.js, whose own `hardSigmoid` is that of Keras 2, so that layers can have it as
 * `hardSigmoidKeras3`, and a saved model that has it can be loaded. Once is enough; more does no harm.
 *
 *     y = z / 6 + 0.5, cut to [0, 1]
 */
export function registerHardSigmoidKeras3(tf: typeof Tf): void {
  if (known.has(tf)) return;
  known.add(tf);
  class HardSigmoidKeras3 extends tf.serialization.Serializable {
    static readonly className = 'hardSigmoidKeras3';

    apply(z: Tf.Tensor): Tf.Tensor {
      return tf.tidy(() => tf.clipByValue(tf.add(tf.mul(z, 1 / 6), 0.5), 0, 1));
    }

    override getConfig(): Tf.serialization.ConfigDict {
      return {};
    }
  }
  tf.serialization.registerClass(HardSigmoidKeras3);
}
