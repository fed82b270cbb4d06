import type { SequenceOptions } from './classifier-interface';
import { checkMask } from './mask';
import { checkOptions, type OptionNames } from './options';
import { borrowTensor, formatShape, type Tensor, type TensorLike } from './tensor';

const sequenceOptions: OptionNames<SequenceOptions> = { initialState: true, mask: true };
/** The options of `evaluate`. */
export const evaluateOptions = { ...sequenceOptions, batchSize: true } as const;

/** A checked batch of sequences. */
export interface Sequences {
  readonly batch: number;
  readonly timeSteps: number;
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U]; zeros when absent */ readonly initialState?: Tensor | undefined;
  /** [B, T] of 0 and 1 */ readonly mask?: Tensor | undefined;
}

/**
 * The boundary check of sequences, the same for every network.
 *
 * @param name of the method, for messages
 * @param known the options that the method has
 * @throws RangeError on ragged arrays, shapes that do not fit, numbers that are not finite, a mask other than 0 and 1, or
 * an unknown option
 */
export function checkSequences(
  inputs: TensorLike,
  options: SequenceOptions,
  { features, units }: { readonly features: number; readonly units: number },
  name: string,
  known: Readonly<Record<string, true>> = sequenceOptions,
): Sequences {
  checkOptions(options, known, name);
  const { initialState, mask } = options;
  const x = borrowTensor(inputs, `${name}: inputs`, ['B', 'T', features]);
  const [batch, timeSteps] = x.shape;
  return {
    batch,
    timeSteps,
    inputs: x,
    initialState:
      initialState === undefined
        ? undefined
        : borrowTensor(initialState, `${name}: initialState`, [batch, units]),
    mask: checkMask(mask, `${name}: mask`, batch, timeSteps),
  };
}

/** Examples `from` to `to` of a batch, as views. */
export function someOf(given: Sequences, from: number, to: number): Sequences {
  if (from === 0 && to === given.batch) return given;
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

/** Loss gradients that arrive at the layer from above. */
export interface SimpleRNNUpstream {
  /** [B, T, U] */ readonly states?: TensorLike;
  /** [B, U]; adds to that of the last state */ readonly finalState?: TensorLike;
}

const upstreamOptions: OptionNames<SimpleRNNUpstream> = { states: true, finalState: true };

/** Checked gradients of the loss by what the recurrent layer gives. */
export interface Upstream {
  /** [B, T, U] */ readonly states?: Tensor | undefined;
  /** [B, U]; adds to that of the last state */ readonly finalState?: Tensor | undefined;
}

/**
 * The boundary check of upstream gradients.
 *
 * @param made [B, T, U], the shape of the states
 * @throws RangeError when a gradient's shape is not that of what the forward pass makes, or a number is not finite
 */
export function checkUpstream(upstream: SimpleRNNUpstream, made: readonly number[], name: string): Upstream {
  checkOptions(upstream, upstreamOptions, `${name}: upstream`);
  const { states, finalState } = upstream;
  const check = (
    value: TensorLike | undefined,
    key: string,
    shape: readonly number[],
    fix: string,
  ): Tensor | undefined => {
    if (value === undefined) return undefined;
    const tensor = borrowTensor(value, `${name}: upstream.${key}`);
    if (formatShape(tensor.shape) === formatShape(shape)) return tensor;
    throw new RangeError(
      `${name}: upstream.${key} has shape ${formatShape(tensor.shape)} but the forward pass makes ${formatShape(shape)}; pass ${fix}.`,
    );
  };
  const [batch, , units] = made;
  return {
    states: check(states, 'states', made, 'one gradient per time step'),
    finalState: check(finalState, 'finalState', [batch, units], 'one per final state'),
  };
}
