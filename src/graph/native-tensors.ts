import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import { formatShape, indexOf, type Tensor } from '../../scratch/index';
import type { SessionBackend } from './session';

/** The numbers of a tensor in single precision; a new array, since the library keeps what it is fed. */
export function toFloat32(tensor: Tensor, name: string): Float32Array {
  const data = new Float32Array(tensor.data);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new RangeError(
        `${name} holds ${String(tensor.data[i])} at ${formatShape(indexOf(i, tensor.shape))}; single precision ends at 3.4e38, so scale it down.`,
      );
    }
  }
  return data;
}

export function feedFloats({ tf }: SessionBackend, tensor: Tensor, name: string): TfTensor {
  return tf.tensor(toFloat32(tensor, name), [...tensor.shape], 'float32');
}

export function feedLabels({ tf }: SessionBackend, labels: Int32Array): TfTensor {
  return tf.tensor(labels, [labels.length], 'int32');
}

export function feedMask({ tf }: SessionBackend, mask: Tensor): TfTensor {
  return tf.tensor(new Uint8Array(mask.data), [...mask.shape], 'bool');
}

export function fetchTensor(tensor: TfTensor): Tensor {
  return { data: new Float64Array(tensor.dataSync()), shape: tensor.shape };
}
