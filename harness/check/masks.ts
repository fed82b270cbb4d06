import { zeros, type LayerConfig, type Tensor } from '../../scratch/index';
import { passesMask, statesOf, type MaskedRows, type ModelLayer } from '../models/index';

/** The mask that a recurrent layer goes by; undefined for any other layer. */
export function seenMask(
  { config, maskedRows }: Pick<ModelLayer, 'config' | 'maskedRows'>,
  mask: Tensor | undefined,
): Tensor | undefined {
  const isRecurrent = Object.keys(statesOf(config)).length > 0;
  return isRecurrent && maskedRows !== 'unmasked' ? mask : undefined;
}

/** Which steps of a layer's output exist. */
export function maskAfter(
  config: ModelLayer['config'],
  { input: x, mask }: { readonly input: Tensor; readonly mask: Tensor | undefined },
): Tensor | undefined {
  if (config.layer === 'masking') return maskOfValue(x, config.maskValue);
  if (config.layer === 'embedding' && config.maskZero === true)
    return { data: x.data.map((n) => (n === 0 ? 0 : 1)), shape: x.shape };
  return passesMask(config) ? mask : undefined;
}

/** A step is masked where all its features equal the value. */
export function maskOfValue({ data, shape: [batch, timeSteps, width] }: Tensor, value: number): Tensor {
  const mask = zeros(batch, timeSteps);
  for (let row = 0; row < batch * timeSteps; row++)
    if (data.subarray(row * width, (row + 1) * width).some((n) => Math.fround(n) !== Math.fround(value)))
      mask.data[row] = 1;
  return mask;
}

/** The numbers of masked steps become zeros, as in Keras. */
export function masked({ data, shape }: Tensor, mask: Tensor): Tensor {
  const width = shape[2];
  return { data: data.map((x, i) => (mask.data[Math.floor(i / width)] === 0 ? 0 : x)), shape };
}

/** The rows of masked steps as the program of the model fills them (`maskedRows`). */
export function withMaskedRows(
  config: LayerConfig,
  output: Tensor,
  { data: mask, shape: [batch, timeSteps] }: Tensor,
  rows: MaskedRows,
): Tensor {
  if (rows === 'state') return output;
  const halves = config.layer === 'bidirectional';
  const isConcat = halves && (config.mergeMode ?? 'concat') === 'concat';
  // both directions of sum, mul and ave become zero together, but only with zeros everywhere
  if (halves && !isConcat && rows === 'output') return output;
  const width = output.shape[output.shape.length - 1];
  const data = output.data.slice();
  const hasTime = output.shape.length === 3;
  const part = isConcat ? width / 2 : width;
  const directions = halves
    ? [false, true]
    : [config.layer !== 'dense' && 'goBackwards' in config && config.goBackwards];
  directions.forEach((isBackwards, d) => {
    const [from, to] = isConcat ? [d * part, (d + 1) * part] : [0, width];
    for (let b = 0; b < batch; b++) {
      let seen = false;
      for (let k = 0; k < timeSteps; k++) {
        const t = isBackwards ? timeSteps - 1 - k : k;
        const exists = mask[b * timeSteps + t] !== 0;
        seen ||= exists;
        const isZero = rows === 'zero' ? !exists : !seen;
        // a layer that goes backwards gives its steps in the order in which it ran; of both directions they are put in order again
        const row = halves ? t : k;
        const isShown = hasTime || k === timeSteps - 1;
        if (isZero && isShown) {
          const at = (hasTime ? b * timeSteps + row : b) * width;
          data.fill(0, at + from, at + to);
        }
      }
    }
  });
  return { data, shape: output.shape };
}
