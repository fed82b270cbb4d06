import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../scratch/index';
import { read, toFloat32 } from '../to-tensors';

/** Copies of the variables' values. */
export function readVariables<K extends string>(
  variables: Readonly<Record<K, Tf.Variable>>,
): Record<K, Tensor> {
  const entries = Object.entries<Tf.Variable>(variables);
  return Object.fromEntries(entries.map(([name, variable]) => [name, read(variable)])) as Record<K, Tensor>;
}

/**
 * Sets the variables to values of their shapes, rounded to float32: all of them, or none when one does not fit.
 *
 * @param name of the method, for messages
 * @throws RangeError when a number is beyond float32
 */
export function assignVariables<K extends string>(
  tf: typeof Tf,
  variables: Readonly<Record<K, Tf.Variable>>,
  values: Readonly<Record<K, Tensor>>,
  name: string,
): void {
  const keys = Object.keys(variables) as K[];
  const rounded = keys.map((key) => toFloat32(values[key], `${name}: ${key}`));
  tf.tidy(() => {
    keys.forEach((key, i) => {
      const variable = variables[key];
      variable.assign(tf.tensor(rounded[i], variable.shape, 'float32'));
    });
  });
}
