import type { Tensor } from '../../../scratch/index';
import type { ModelLayer } from '../../models/index';
import type { Variant } from './variant';

/** Batch and time exchanged. */
export function timeMajor(layer: ModelLayer): Variant[] {
  return [
    {
      id: 'time-major',
      words: 'the first axis of its input is taken as time (time-major)',
      layer,
      order: { read: axesExchanged, give: axesExchanged },
    },
  ];
}

function axesExchanged(tensor: Tensor): Tensor {
  const { data, shape } = tensor;
  if (shape.length !== 3) return tensor;
  const [rows, columns, width] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      out.set(
        data.subarray((i * columns + j) * width, (i * columns + j + 1) * width),
        (j * rows + i) * width,
      );
  return { data: out, shape: [columns, rows, width] };
}
