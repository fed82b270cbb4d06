import type { Tensor } from '../../scratch/index';
import { rootMeanSquare } from '../base/magnitude';
import type { ModelDescription, StoredAs } from '../models/index';
import type { Cause } from './causes';
import { runReference, runReferenceBack, type ModelInputs } from './reference';
import { tensorOf } from './walk';

/** Standard deviations that a number may be off: a sum of many independent errors leaves 6 once in 500 million numbers. */
const widest = 6;

/** Outputs whose derivatives are computed, at most; the others of a tensor get the largest of its deviations. */
const mostOutputs = 256;

/**
 * Whether weights that are stored with fewer bits explain a difference. What was stored lies anywhere within the reach r of each weight w,
 * which is half a step of the scale, or half a unit in the last place. These errors are independent, of variance r²/3 each, and reach an
 * output y by its derivatives:
 *
 *     σ² = Σ_w (∂y/∂w)² r_w² / 3          |difference| ≤ 6 σ + what rounding allows
 *
 * The derivatives are those of the backward pass of scratch/, so a weight that is used at every time step counts once, with all of its uses.
 *
 * @param rounding what rounding allows to each number of each output
 */
export function causeOfStorage(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
  rounding: readonly ArrayLike<number>[],
): Cause[] {
  const { storage = {} } = model;
  if (Object.keys(storage).length === 0) return [];
  const spread = deviationsOf(model, inputs, (name, w) => {
    const stored = storage[name] as StoredAs | undefined;
    return stored === undefined ? 0 : reachOf(stored, w);
  });
  if (!isExplained(spread, outputs, rounding, 0)) return [];
  const kinds = [...new Set(Object.values(storage).map(({ dtype }) => dtype))];
  return [
    {
      id: 'stored-weights',
      words: `the outputs are those of the model before its weights were stored as ${kinds.join(' and ')}: explained by ${kinds.map((kind) => bitsOf[kind]).join(' and ')} weights`,
      layer: '',
    },
  ];
}

const bitsOf = { uint8: '8-bit', uint16: '16-bit', float16: 'float16', bfloat16: 'bfloat16' } as const;

/** A weight in float16 moved by a share of itself, one of 8 or 16 bits by half a step. */
const reachOf = ({ dtype, reach }: StoredAs, w: number): number =>
  dtype === 'float16' || dtype === 'bfloat16' ? reach * Math.abs(w) : reach;

/** Below this share of σ, root mean square, a difference is too small to come from these weights. */
const leastShare = 1 / 4;

/**
 * The same for a program that has the weights in so many bits by a scheme of its own: other zero points, a scale for each column, rounding
 * at random. Each weight is then within half a step of (max - min) / (2^bits - 1) of what it is here.
 *
 * @returns the cause for a number of bits; the derivatives are taken once for all of them
 */
export function causesOfFewerBits(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
  rounding: readonly ArrayLike<number>[],
): (bits: 8 | 16) => Cause[] {
  let ofOneStep: readonly Spread[] | undefined;
  return (bits) => {
    ofOneStep ??= ofOneStepEach(model, inputs);
    const steps = 2 ** bits - 1;
    const spread = ofOneStep.map(({ exact, sigma }) => ({ exact, sigma: sigma.map((s) => s / steps) }));
    if (!isExplained(spread, outputs, rounding, leastShare)) return [];
    const words = `the other program has its weights in ${bits} bits by a scheme of its own: explained by ${bits}-bit weights`;
    return [{ id: `weights-${bits}-bit`, words, layer: '' }];
  };
}

/** The deviations where every weight is anywhere within half the range of its tensor: a single step. */
function ofOneStepEach(model: ModelDescription, inputs: ModelInputs): Spread[] {
  const half = new Map(
    model.layers.flatMap(({ name: layer, weights }) =>
      Object.entries(weights).map(([name, { data }]): [string, number] => {
        const [low, high] = data.reduce(([a, b], w) => [Math.min(a, w), Math.max(b, w)], [0, 0]);
        return [`${layer}.${name}`, (high - low) / 2];
      }),
    ),
  );
  return deviationsOf(model, inputs, (name) => half.get(name) ?? 0);
}

interface Spread {
  readonly exact: Tensor;
  /** σ of each number */ readonly sigma: Float64Array;
}

function isExplained(
  spread: readonly Spread[],
  outputs: readonly Tensor[],
  rounding: readonly ArrayLike<number>[],
  least: number,
): boolean {
  return spread.every(({ exact, sigma }, n) => {
    const errors = exact.data.map((y, i) => Math.abs(outputs[n].data[i] - y));
    // a number that no weight moves, as that of a unit whose relu is shut, has no share
    const shares = errors.map((e, i) => e / sigma[i]).filter((_, i) => sigma[i] > 0);
    return (
      errors.every((e, i) => e <= widest * sigma[i] + rounding[n][i]) &&
      (shares.length === 0 || rootMeanSquare(shares) >= least)
    );
  });
}

/**
 * The standard deviation of every output, where each weight is anywhere within its reach.
 *
 * @param reach of a weight `layer.kernel` of that value
 */
export function deviationsOf(
  model: ModelDescription,
  inputs: ModelInputs,
  reach: (name: string, w: number) => number,
): Spread[] {
  const [batch] = Object.values(inputs)[0].shape;
  const all = runReference(model, inputs);
  // one example by itself, so that its outputs have gradients of their own
  const alone = Array.from({ length: batch }, (_, b) =>
    runReference(
      model,
      Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, exampleOf(tensor, b)])),
    ),
  );
  return model.outputs.map((source) => {
    const exact = tensorOf(all, source);
    const width = exact.data.length / batch;
    const stride = Math.ceil(exact.data.length / mostOutputs);
    const sigma = new Float64Array(exact.data.length);
    for (let i = 0; i < sigma.length; i += stride) {
      const runs = alone[Math.floor(i / width)];
      const { shape } = tensorOf(runs, source);
      const gradient = { data: new Float64Array(width), shape };
      gradient.data[i % width] = 1;
      const gradients = runReferenceBack(model, runs, [{ ...source, gradient }]);
      let variance = 0;
      for (const { name: layer, weights } of model.layers)
        for (const [name, { data }] of Object.entries(gradients.get(layer) ?? {}))
          data.forEach((slope, k) => {
            variance += (slope * reach(`${layer}.${name}`, weights[name].data[k])) ** 2 / 3;
          });
      sigma[i] = Math.sqrt(variance);
    }
    const largest = sigma.reduce((most, s) => Math.max(most, s), 0);
    return { exact, sigma: sigma.map((s, i) => (i % stride === 0 ? s : largest)) };
  });
}

function exampleOf({ data, shape: [batch, ...sizes] }: Tensor, b: number): Tensor {
  const size = data.length / batch;
  return { data: data.slice(b * size, (b + 1) * size), shape: [1, ...sizes] };
}
