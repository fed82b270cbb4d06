import type * as Tf from '@tensorflow/tfjs';
import { firstNotFinite, formatShape, indexOf, type BorrowedTensor, type Tensor } from '../scratch/index';

/**
 * The way into tfjs: a float32 tensor with the values of a checked one. The caller owns it.
 *
 * @param name how messages call it
 * @throws RangeError when a number is finite in float64 but not in float32
 */
export function upload(tf: typeof Tf, tensor: BorrowedTensor, name: string): Tf.Tensor {
  return tf.tensor(toFloat32(tensor, name), [...tensor.shape], 'float32');
}

/** Checked whole numbers as int32. The caller owns it. */
export function uploadIntegers(
  tf: typeof Tf,
  data: Int32Array | Float64Array,
  shape: readonly number[],
): Tf.Tensor {
  return tf.tensor(new Int32Array(data), [...shape], 'int32');
}

/** [B, T] of bool. The caller owns it. */
export function uploadMask(tf: typeof Tf, mask: Tensor): Tf.Tensor {
  return tf.tensor(new Uint8Array(mask.data), [...mask.shape], 'bool');
}

/** The same numbers in float32. Always a new array: backends may keep the one they are given. */
export function toFloat32(tensor: BorrowedTensor, name: string): Float32Array {
  // as it arrived, and was checked
  if (tensor.float32) return tensor.float32.slice();
  const { data, shape } = tensor;
  const rounded = new Float32Array(data);
  const i = firstNotFinite(rounded);
  if (i < 0) return rounded;
  throw new RangeError(
    `${name} holds ${data[i]} at ${formatShape(indexOf(i, shape))}, beyond the largest float32 number, 3.4028e38; TensorFlow.js computes in float32, so scale the numbers down or use the scratch network.`,
  );
}

/** One array [B, N] for each time step of [B, T, N]. */
export function stepsOf(data: Float32Array, [batch, timeSteps, width]: readonly number[]): Float32Array[] {
  return Array.from({ length: timeSteps }, (_, t) => {
    const step = new Float32Array(batch * width);
    for (let b = 0; b < batch; b++) {
      const from = (b * timeSteps + t) * width;
      step.set(data.subarray(from, from + width), b * width);
    }
    return step;
  });
}

/** The numbers of a tensor, once they have been read. */
export type ValuesOf = (tensor: Tf.Tensor) => ArrayLike<number>;

/** Reads at once, whatever the backend still has to compute. WebGPU's zeros: use `tensor.data()` there (docs/browser.md). */
export const readSync: ValuesOf = (tensor) => tensor.dataSync();

/** Reads tensors asynchronously, all at once; what gives their numbers afterwards. */
export async function readAll(tensors: readonly Tf.Tensor[]): Promise<ValuesOf> {
  const read = await Promise.all(tensors.map(async (tensor) => [tensor, await tensor.data()] as const));
  const values = new Map<Tf.Tensor, ArrayLike<number>>(read);
  return (tensor) => values.get(tensor) ?? [];
}

/** The way out: float64 copies of a tensor's float32 numbers. The tensor stays the caller's. */
export function read(tensor: Tf.Tensor, valuesOf = readSync): Tensor {
  return { data: Float64Array.from(valuesOf(tensor)), shape: [...tensor.shape] };
}
