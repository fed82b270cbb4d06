import type { Tensor } from '../../scratch/index';
import {
  emulatedRuns,
  emulatedAnswer,
  measureInflation,
  type PrecisionModel,
  type Spread,
} from '../budget/index';
import {
  chargesOf,
  errorArithmetic,
  estimates,
  runNetwork,
  type Estimate,
  type NetworkProblem,
  type Uncertain,
} from '../equations/index';
import type { ModelLayer } from '../models/index';
import { asFormulas } from './one-layer';
import { runLayer, withMaskedRows } from './reference';

/** A tensor of the reference, and what rounding may have done to it on the way. */
export interface Doubtful {
  readonly tensor: Tensor;
  /** largest possible |error| */ readonly bound: Float64Array;
  readonly variance: Float64Array;
  /** what the k-th honest program in single precision has here */
  readonly emulate: (k: number) => Float64Array;
}

/** Numbers that are known: those of the user, or those that a side showed. */
export function sure(tensor: Tensor): Doubtful {
  const none = new Float64Array(tensor.data.length);
  return { tensor, bound: none, variance: none, emulate: () => tensor.data };
}

export interface DoubtfulRun {
  readonly output: Doubtful;
  readonly states: readonly Doubtful[];
  readonly mask: Tensor | undefined;
}

/** One layer: its numbers by scratch/, their possible errors by the rules of equations/. */
export function propagate(
  layer: ModelLayer,
  input: Pick<DoubtfulRun, 'output' | 'mask'>,
  initialStates: readonly Doubtful[],
  model: PrecisionModel,
): DoubtfulRun {
  const { config } = layer;
  const x = input.output;
  const run = (data: Float64Array, states: readonly Float64Array[]) =>
    runLayer(
      layer,
      { output: { data, shape: x.tensor.shape }, states: [], mask: input.mask },
      states.map((state, i) => ({ data: state, shape: initialStates[i].tensor.shape })),
    );
  const exact = run(
    x.tensor.data,
    initialStates.map(({ tensor }) => tensor.data),
  );
  const { output, states, mask } = exact;
  /** Every element follows from elements that it copies, or from one element by a function: errors go the same way. */
  const elementwise = (bound: Float64Array, variance: Float64Array): DoubtfulRun => ({
    output: {
      tensor: output,
      bound,
      variance,
      emulate: once((k) => run(x.emulate(k), []).output.data.map(Math.fround)),
    },
    states: [],
    mask,
  });
  const moved = (data: Float64Array): Float64Array =>
    runLayer(
      { ...layer, config: config.layer === 'masking' ? { layer: 'identity' } : config },
      { output: { data, shape: x.tensor.shape }, states: [], mask: undefined },
      [],
    ).output.data;
  const width = x.tensor.shape[x.tensor.shape.length - 1];
  const { unit, tiny, kappa } = model;
  switch (config.layer) {
    case 'masking':
    case 'identity':
    case 'repeatVector':
    case 'flatten':
    case 'lastStep':
    case 'embedding':
      return config.layer === 'embedding'
        ? elementwise(new Float64Array(output.data.length), new Float64Array(output.data.length))
        : elementwise(moved(x.bound), moved(x.variance));
    case 'activation': {
      if (config.activation === 'softmax') return elementwise(...softmaxErrors(x, output.data, width, model));
      // every |slope| is at most 1, and a function costs at most its own kappa
      const own = output.data.map((y) => 2 * Math.max(kappa.tanh, kappa.sigmoid) * unit * Math.abs(y) + tiny);
      return elementwise(
        x.bound.map((e, i) => e + own[i]),
        x.variance.map((v, i) => v + own[i] ** 2 / 3),
      );
    }
    case 'batchNormalization': {
      const { gamma, beta, movingMean, movingVariance } = layer.weights;
      const slope = movingMean.data.map(
        (_, n) =>
          ((gamma as Tensor | undefined) ? gamma.data[n] : 1) /
          Math.sqrt(movingVariance.data[n] + config.epsilon),
      );
      // the factor costs 4 roundings; products, their difference and the sum one each, in any order
      const own = x.tensor.data.map((value, i) => {
        const n = i % width;
        const size =
          Math.abs(slope[n]) * (Math.abs(value) + Math.abs(movingMean.data[n])) +
          Math.abs((beta as Tensor | undefined)?.data[n] ?? 0);
        return 8 * unit * size + tiny;
      });
      return elementwise(
        x.bound.map((e, i) => Math.abs(slope[i % width]) * e + own[i]),
        x.variance.map((v, i) => slope[i % width] ** 2 * v + own[i] ** 2 / 3),
      );
    }
    default: {
      const found = byFormulas(layer, config, x, input.mask, initialStates, model);
      return {
        output: { ...found.output, tensor: output },
        states: states.map((tensor, i) => ({ ...found.states[i], tensor })),
        mask,
      };
    }
  }
}

/** The errors of a layer with weights, from a run of its formulas in which the inputs have errors already. */
function byFormulas(
  { weights, maskedRows = 'state', config: whole }: ModelLayer,
  config: Parameters<typeof asFormulas>[0],
  x: Doubtful,
  mask: Tensor | undefined,
  initialStates: readonly Doubtful[],
  model: PrecisionModel,
): Pick<DoubtfulRun, 'output' | 'states'> {
  const [batch, ...sizes] = x.tensor.shape;
  const width = sizes[sizes.length - 1];
  const timeSteps = sizes.length === 2 ? sizes[0] : 1;
  const { network, weights: named, carries, last } = asFormulas(config, weights, width);
  const seen = maskedRows === 'unmasked' || carries.length === 0 ? undefined : mask;
  const problemWith = (data: Float64Array, states: readonly Float64Array[]): NetworkProblem => {
    const starts: Record<string, Record<string, Tensor>> = {};
    states.forEach((state, i) => {
      const [layer, carry] = carries[i];
      (starts[layer] ??= {})[carry] = { data: state, shape: initialStates[i].tensor.shape };
    });
    return {
      inputs: { data, shape: [batch, timeSteps, width] },
      weights: named,
      ...(states.length > 0 && { initialStates: starts }),
      ...(seen && { mask: seen }),
    };
  };
  const problem = problemWith(
    x.tensor.data,
    initialStates.map(({ tensor }) => tensor.data),
  );
  const { charges } = chargesOf(problem, model);
  const plain = errorArithmetic(charges);
  const known = new Map<string, Doubtful>([
    ['inputs', x],
    ...initialStates.map((state, i) => [`initialStates.${carries[i].join('.')}`, state] as const),
  ]);
  const outcome = runNetwork<Uncertain>(network, problem, {
    ...plain,
    given(path, value, rows) {
      const block = plain.given(path, value, rows);
      const doubtful = known.get(path);
      return doubtful === undefined
        ? block
        : { ...block, bound: doubtful.bound, variance: doubtful.variance };
    },
  });
  const all = estimates(outcome, charges);
  const steps = 'wrapped' in config ? config.wrapped : config;
  const hasTime =
    config.layer === 'dense' || config.layer === 'timeDistributed'
      ? sizes.length === 2
      : 'returnSequences' in steps && steps.returnSequences;
  const turned = 'goBackwards' in config && config.goBackwards;
  const outputName =
    hasTime || carries.length === 0
      ? `states.${last}`
      : last === 'merged'
        ? 'final.merged.output'
        : 'final.layer.h';
  const columns = all.get(outputName)!.shape.at(-1)!;
  const shape = hasTime ? [batch, timeSteps, columns] : [batch, columns];
  const arranged = (data: Float64Array): Float64Array => {
    const inOrder = turned && hasTime ? reversedSteps(data, batch, timeSteps, columns) : data;
    if (seen === undefined || whole.layer === 'masking') return inOrder;
    return withMaskedRows(config, { data: inOrder, shape }, seen, maskedRows).data;
  };
  const runs = once((k: number) =>
    emulatedAnswer(
      network,
      problemWith(
        x.emulate(k),
        initialStates.map((state) => state.emulate(k)),
      ),
      model,
      k,
    ),
  );
  const doubtful = (name: string, arrange: (data: Float64Array) => Float64Array): Doubtful => {
    const { bound, sigma, value } = all.get(name) as Estimate;
    return {
      tensor: { data: value, shape: [] },
      bound: arrange(bound),
      variance: arrange(sigma.map((s) => s * s)),
      emulate: (k) => arrange(runs(k).get(name)!.data),
    };
  };
  return {
    output: doubtful(outputName, arranged),
    states: carries.map(([layer, carry]) => doubtful(`final.${layer}.${carry}`, (data) => data)),
  };
}

function reversedSteps(data: Float64Array, batch: number, timeSteps: number, width: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < timeSteps; t++)
      out.set(
        data.subarray((b * timeSteps + t) * width, (b * timeSteps + t + 1) * width),
        (b * timeSteps + timeSteps - 1 - t) * width,
      );
  return out;
}

/**
 * p = exp(z - max) / Σ: where every z is off by δ at most, p is off by p (e^(2δ) - 1); the exponential, the sum and the division add to δ.
 */
function softmaxErrors(
  { tensor, bound, variance }: Doubtful,
  p: Float64Array,
  width: number,
  { unit, kappa, tiny }: PrecisionModel,
): [Float64Array, Float64Array] {
  const errors = new Float64Array(p.length);
  const squares = new Float64Array(p.length);
  for (let from = 0; from < p.length; from += width) {
    const row = tensor.data.subarray(from, from + width);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    for (let i = from; i < from + width; i++) {
      const own = (kappa.exp + width + 2 + Math.abs(tensor.data[i] - largest)) * unit;
      const inherited = bound.subarray(from, from + width).reduce((a, b) => Math.max(a, b), 0);
      const spread = variance.subarray(from, from + width).reduce((a, b) => Math.max(a, b), 0);
      errors[i] = p[i] * Math.expm1(2 * (inherited + own)) + tiny;
      squares[i] = p[i] ** 2 * (2 * spread + own ** 2) + tiny ** 2;
    }
  }
  return [errors, squares];
}

/** Everything that the judge asks of rounding (`explainByRounding`). */
export function spreadOf({ tensor, bound, variance, emulate }: Doubtful): Spread {
  const sigma = variance.map(Math.sqrt);
  return {
    bound,
    sigma,
    // as for the states of a network: errors of this size still grow in proportion
    linear: sigma.every((s, i) => s <= 1e-3 * Math.max(1, Math.abs(tensor.data[i]))),
    overflow: false,
    otherForms: () => undefined,
    inflation: () =>
      measureInflation(
        tensor.data,
        sigma,
        Array.from({ length: emulatedRuns }, (_, k) => emulate(k)),
      ),
  };
}

function once<T>(make: (k: number) => T): (k: number) => T {
  const made = new Map<number, T>();
  return (k) => {
    const known = made.get(k);
    if (known !== undefined) return known;
    const value = make(k);
    made.set(k, value);
    return value;
  };
}
