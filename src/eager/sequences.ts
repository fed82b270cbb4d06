import {
  borrowTensor,
  checkMask,
  type SequenceOptions,
  type Tensor,
  type TensorLike,
} from '../../scratch/index';

/** A batch of sequences that passed the doors. */
export interface Sequences {
  readonly batch: number;
  readonly timeSteps: number;
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U]; zeros when absent */ readonly initialState?: Tensor | undefined;
  /** [B, T] of 0 and 1 */ readonly mask?: Tensor | undefined;
}

/**
 * The door of sequences, the same as the scratch network's.
 *
 * @param name of the method, for messages
 * @throws RangeError on ragged arrays, shapes that do not fit, numbers that are not finite, a mask other than 0 and 1
 */
export function checkSequences(
  inputs: TensorLike,
  { initialState, mask }: SequenceOptions,
  { features, units }: { readonly features: number; readonly units: number },
  name: string,
): Sequences {
  const x = borrowTensor(inputs, `${name}: inputs`, ['B', 'T', features]);
  const [batch, timeSteps] = x.shape;
  return {
    batch,
    timeSteps,
    inputs: x,
    initialState: initialState && borrowTensor(initialState, `${name}: initialState`, [batch, units]),
    mask: checkMask(mask, `${name}: mask`, batch, timeSteps),
  };
}

/** Examples `from` to `to` of a batch, as views. */
export function someOf(given: Sequences, from: number, to: number): Sequences {
  const part = ({ data, shape }: Tensor): Tensor => {
    const width = data.length / shape[0];
    return { data: data.subarray(from * width, to * width), shape: [to - from, ...shape.slice(1)] };
  };
  return {
    batch: to - from,
    timeSteps: given.timeSteps,
    inputs: part(given.inputs),
    initialState: given.initialState && part(given.initialState),
    mask: given.mask && part(given.mask),
  };
}
