import { formatShape, indexOf, toTensor, type Tensor, type TensorLike } from './tensor';

/**
 * The boundary check of masks: [B, T] of 0 (this step does not exist) and 1.
 *
 * @throws RangeError on another shape or another number
 */
export function checkMask(
  mask: TensorLike | undefined,
  name: string,
  batch: number,
  timeSteps: number,
): Tensor | undefined {
  if (mask === undefined) return undefined;
  const tensor = toTensor(mask, name, [batch, timeSteps]);
  const bad = tensor.data.findIndex((m) => m !== 0 && m !== 1);
  if (bad >= 0) {
    throw new RangeError(
      `${name} holds ${String(tensor.data[bad])} at ${formatShape(indexOf(bad, tensor.shape))}; a mask is 1 where a step counts and 0 where it does not.`,
    );
  }
  return tensor;
}
