import type * as Tf from '@tensorflow/tfjs';
import type { ActivationName } from '../../../scratch/index';
import type { Kernels } from '../kernels';

/** A tensor that an activation has gone over, with what its slope is made of. */
export interface Activated {
  readonly y: Tf.Tensor;
  /** only where the slope needs it */ readonly z?: Tf.Tensor;
}

/** An activation y = f(z), and the way back through it. */
export interface Activation {
  readonly forward: (z: Tf.Tensor) => Activated;
  /** dz = dy ∘ f'(z) */ readonly backward: (dy: Tf.Tensor, activated: Activated) => Tf.Tensor;
}

/**
 * Call it outside of steps: what they share is made here.
 *
 *     tanh                 tanh(z)                              f' = 1 - y²
 *     sigmoid              1 / (1 + exp(-z))                    f' = y ∘ (1 - y)
 *     hardSigmoid          0.2 z + 0.5, cut to [0, 1]           f' = 0.2 where 0 <= 0.2 z + 0.5 <= 1, else 0
 *     hardSigmoidKeras3    z / 6 + 0.5, cut to [0, 1]           f' = 1/6 where 0 <= z / 6 + 0.5 <= 1, else 0
 *     relu                 max(z, 0)                            f' = 1 where y > 0, else 0
 *     linear               z                                    f' = 1
 */
export function activationOf(tf: typeof Tf, kernels: Kernels, name: ActivationName): Activation {
  const { multiply, other, relu, sigmoid, square, step, subtract, tanh } = kernels;
  switch (name) {
    case 'tanh': {
      const one = tf.scalar(1);
      return {
        forward: (z) => ({ y: tanh(z) }),
        backward: (dy, { y }) => multiply(dy, subtract(one, square(y))),
      };
    }
    case 'sigmoid': {
      const one = tf.scalar(1);
      return {
        forward: (z) => ({ y: sigmoid(z) }),
        backward: (dy, { y }) => multiply(dy, multiply(y, subtract(one, y))),
      };
    }
    case 'hardSigmoid':
    case 'hardSigmoidKeras3': {
      const slope = name === 'hardSigmoid' ? 0.2 : 1 / 6;
      const line = (z: Tf.Tensor): Tf.Tensor => tf.add(tf.mul(z, slope), 0.5);
      return {
        forward: (z) => ({ y: other(() => tf.clipByValue(line(z), 0, 1)), z }),
        backward: (dy, { z }) =>
          other(() => {
            const v = line(z!);
            const inside = tf.logicalAnd(tf.greaterEqual(v, 0), tf.lessEqual(v, 1));
            return tf.where(inside, tf.mul(dy, slope), tf.zerosLike(dy));
          }),
      };
    }
    case 'relu':
      return { forward: (z) => ({ y: relu(z) }), backward: (dy, { y }) => multiply(dy, step(y)) };
    case 'linear':
      return { forward: (z) => ({ y: z }), backward: (dy) => dy };
  }
}
