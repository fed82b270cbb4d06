import { UsageError } from '../../base/outcome';
import type { Standardisation } from '../../models/index';
import { maskOf, type SequenceData } from './sequences';

/**
 * Means and standard deviations over the real steps (never the padding) of the given examples; pass those of the training part alone.
 * Two passes, so that a large mean does not swallow a small spread.
 */
export function fitStandardisation(data: SequenceData, examples: Int32Array): Standardisation {
  const features = data.inputs.shape[2];
  const sum = new Float64Array(features);
  const squares = new Float64Array(features);
  let steps = 0;
  for (const n of examples) steps += data.lengths[n];
  eachStep(data, examples, (x, f) => (sum[f] += x));
  const mean = Array.from(sum, (total) => total / steps);
  eachStep(data, examples, (x, f) => (squares[f] += (x - mean[f]) ** 2));
  const scale = Array.from(squares, (total) => Math.sqrt(total / steps) || 1);
  return { mean, scale };
}

function eachStep(data: SequenceData, examples: Int32Array, visit: (x: number, f: number) => void): void {
  const [, t, f] = data.inputs.shape;
  for (const n of examples) {
    const start = n * t * f;
    for (let i = 0; i < data.lengths[n] * f; i++) visit(data.inputs.data[start + i], i % f);
  }
}

/** Examples ready for a network. */
export interface Part {
  /** [n, T, F], rounded to float32: what TensorFlow.js computes with, so that both sides see the very same numbers */
  readonly inputs: { readonly data: Float32Array; readonly shape: readonly [number, number, number] };
  readonly labels: Int32Array;
  /** [n, T] of 0 and 1; absent when all sequences fill all steps */
  readonly mask?: { readonly data: Float64Array; readonly shape: readonly [number, number] };
  readonly lengths: Int32Array;
  /** where each came from: indices into the data */ readonly examples: Int32Array;
}

/** Picks examples, standardises their real steps and rounds to float32. Padding stays 0. */
export function takePart(data: SequenceData, examples: Int32Array, standardisation?: Standardisation): Part {
  const [, t, f] = data.inputs.shape;
  const inputs = new Float32Array(examples.length * t * f);
  examples.forEach((n, place) => {
    for (let i = 0; i < data.lengths[n] * f; i++) {
      const x = data.inputs.data[n * t * f + i];
      const value =
        standardisation === undefined ? x : (x - standardisation.mean[i % f]) / standardisation.scale[i % f];
      inputs[place * t * f + i] = value;
      if (!Number.isFinite(inputs[place * t * f + i]))
        throw new UsageError(
          `${data.source}: example ${n} holds ${x} at step ${Math.floor(i / f)}, feature ${i % f}, which float32 cannot hold; rescale that feature or pass --standardize.`,
        );
    }
  });
  const lengths = Int32Array.from(examples, (n) => data.lengths[n]);
  const labels = data.labels;
  return {
    inputs: { data: inputs, shape: [examples.length, t, f] },
    labels: Int32Array.from(examples, (n) => labels?.[n] ?? -1),
    ...maskPart(lengths, t),
    lengths,
    examples,
  };
}

function maskPart(lengths: Int32Array, t: number): Pick<Part, 'mask'> {
  const mask = maskOf(lengths, t);
  return mask === undefined ? {} : { mask };
}
