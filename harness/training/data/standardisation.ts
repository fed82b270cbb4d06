import { UsageError } from '../../base/outcome';
import type { Standardisation } from '../../models/index';
import { momentsOf, type Moments } from './moments';
import { listed, type Notes } from './notes';
import { checkExamples, maskOf, type SequenceData } from './sequences';

/**
 * Means and standard deviations over the real steps (never the padding) of the given examples; pass those of the training part alone.
 * The scale of a feature that is constant up to rounding is 1: dividing by rounding errors would make noise of it.
 *
 * @param notes gets the features that are constant, and those whose spread float32 cannot hold
 */
export function fitStandardisation(data: SequenceData, examples: Int32Array, notes?: Notes): Standardisation {
  const moments = momentsOf(data, examples);
  const names = (wanted: (moment: Moments) => boolean): string[] =>
    moments.flatMap((moment, f) => (wanted(moment) ? [featureName(data, f)] : []));
  const constant = names((moment) => moment.constant);
  if (constant.length > 0)
    notes?.say(`constant in the training part, up to rounding, so the scale stays 1: ${listed(constant)}`);
  const fine = names(({ mean, deviation, constant }) => !constant && deviation < Math.abs(mean) * 2 ** -23);
  if (fine.length > 0)
    notes?.warn(
      `the spread of ${listed(fine)} is too small for float32 at that size: a float32 copy of the data would lose it`,
    );
  return {
    mean: moments.map(({ mean }) => mean),
    // The least positive number stands for a deviation that is smaller than any number.
    scale: moments.map(({ constant, deviation }) => (constant ? 1 : deviation || Number.MIN_VALUE)),
  };
}

/** Warns of features whose values become equal, or 0, when they are rounded to float32 as they are. */
export function warnOfRounding(data: SequenceData, examples: Int32Array, notes: Notes): void {
  const lost = momentsOf(data, examples).flatMap(({ least, most }, f) =>
    least !== most && Math.fround(least) === Math.fround(most) ? [featureName(data, f)] : [],
  );
  if (lost.length > 0)
    notes.warn(
      `all values of ${listed(lost)} are the same number in float32, which networks compute with; pass --standardize or rescale`,
    );
}

/** What messages call a feature. */
export const featureName = (data: SequenceData, f: number): string =>
  data.featureNames?.[f] ?? `feature ${f}`;

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
  const [count, t, f] = data.inputs.shape;
  checkExamples(examples, count, 'takePart');
  const inputs = new Float32Array(examples.length * t * f);
  examples.forEach((n, place) => {
    for (let i = 0; i < data.lengths[n] * f; i++) {
      const x = data.inputs.data[n * t * f + i];
      const value = standardisation === undefined ? x : standardised(x, standardisation, i % f);
      inputs[place * t * f + i] = value;
      if (!Number.isFinite(inputs[place * t * f + i]))
        throw new UsageError(
          `${data.source}: example ${data.ids?.[n] ?? n} holds ${x} at step ${Math.floor(i / f)}, ${featureName(data, i % f)}, which ${standardisation === undefined ? '' : `standardised is ${value}, and that `}float32 cannot hold; ${standardisation === undefined ? 'rescale that feature, or pass --standardize' : 'correct the value or rescale that feature'}.`,
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

/** (x - mean) / scale, by halves where the difference overflows. */
function standardised(x: number, { mean, scale }: Standardisation, f: number): number {
  const value = (x - mean[f]) / scale[f];
  return Number.isFinite(value) ? value : (x / 2 - mean[f] / 2) / (scale[f] / 2);
}

function maskPart(lengths: Int32Array, t: number): Pick<Part, 'mask'> {
  const mask = maskOf(lengths, t);
  return mask === undefined ? {} : { mask };
}

/** A part without the steps that a Masking layer skips: those whose features all equal its value. */
export function withoutMaskedSteps(part: Part, maskValue: number | undefined): Part {
  if (maskValue === undefined) return part;
  const { data, shape } = part.inputs;
  const [n, t, f] = shape;
  const mask = new Float64Array(n * t);
  const value = Math.fround(maskValue);
  for (let step = 0; step < n * t; step++) {
    const isKept = data.subarray(step * f, (step + 1) * f).some((x) => x !== value);
    mask[step] = isKept ? (part.mask?.data[step] ?? 1) : 0;
  }
  return mask.every((kept) => kept === 1) ? part : { ...part, mask: { data: mask, shape: [n, t] } };
}
