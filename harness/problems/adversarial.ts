import { createRandom, zeros, type Random, type Tensor } from '../../scratch/index';
import { roundProblem, type Problem } from '../base/problem';

/** Ways to fill a problem; `gaussian` at scale 1 and below is well-conditioned, the rest are adversarial. */
export const problemKinds = [
  'gaussian',
  'constant',
  'positive',
  'symmetric',
  'orthogonal',
  'identity',
  'sorted',
  'skewed',
  'cancelling',
  'subnormal',
  'oneHot',
  'duplicateRows',
  'constantInTime',
  'saturated',
  'largeLogits',
  'sparse',
  'powersOfTwo',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface GeneratedOptions {
  /** default: half gaussian, half the other kinds */ readonly kinds?: readonly ProblemKind[];
  /** largest sizes; default batch 8, timeSteps 24, features 16, units 32, classes 10 */
  readonly largest?: {
    readonly batch?: number;
    readonly timeSteps?: number;
    readonly features?: number;
    readonly units?: number;
    readonly classes?: number;
  };
  /** spectral scales of the weights, before division by sqrt(fan-in); default 0.01, 0.3, 1, 3 */
  readonly scales?: readonly number[];
  /** whether scales are always divided by sqrt(fan-in); default false: half of the time */
  readonly normalized?: boolean;
  /** only labels: no mask, no upstream gradients; default false */ readonly plain?: boolean;
}

export interface GeneratedProblem extends Problem {
  readonly kind: ProblemKind;
}

/** Problem number `index` of the series that `seed` names: the same on every machine, exact in single precision. */
export function adversarialProblem(
  seed: number,
  index: number,
  options: GeneratedOptions = {},
): GeneratedProblem {
  const random = createRandom((seed * 1_000_003 + index) % 2 ** 52);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)];
  const kind = options.kinds ? pick(options.kinds) : random.uniform() < 0.5 ? 'gaussian' : pick(problemKinds);
  const limit = { batch: 8, timeSteps: 24, features: 16, units: 32, classes: 10, ...options.largest };
  // small sizes are as likely as large ones: uniform in the logarithm
  const size = (most: number, least = 1): number =>
    Math.min(most, Math.floor(least * ((most + 1) / least) ** random.uniform()));
  const batch = size(limit.batch);
  const timeSteps = size(limit.timeSteps);
  const features = size(limit.features);
  const units = random.uniform() < 0.1 ? Math.min(features, limit.units) : size(limit.units);
  const classes = size(limit.classes, 2);
  const normalized = options.normalized === true || random.uniform() < 0.5;
  const scale = pick(options.scales ?? [0.01, 0.3, 1, 3]);
  const fan = (n: number): number => (normalized ? scale / Math.sqrt(n) : scale);
  const normal = (deviation: number, ...shape: number[]): Tensor => {
    const tensor = zeros(...shape);
    for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = deviation * random.normal();
    return tensor;
  };

  const inputs = normal(1, batch, timeSteps, features);
  const weights = {
    kernel: normal(fan(features), features, units),
    recurrentKernel: normal(fan(units), units, units),
    bias: normal(Math.min(scale, 0.5), units),
    outputKernel: normal(fan(units), units, classes),
    outputBias: normal(Math.min(scale, 0.5), classes),
  };
  distort(kind, random, inputs, weights, scale);

  const initialState = random.uniform() < 0.6 ? normal(0.5, batch, units) : undefined;
  const plain = options.plain === true;
  const masked = !plain && random.uniform() < 0.3;
  const upstream = !plain && random.uniform() < 0.3;
  const labelled = !upstream || random.uniform() < 0.5;
  const output = labelled || random.uniform() < 0.5;
  const { kernel, recurrentKernel, bias } = weights;
  const fields = {
    inputs,
    ...(initialState && { initialState }),
    ...(masked && { mask: maskOf(random, batch, timeSteps) }),
    ...(labelled && { labels: Array.from({ length: batch }, () => random.integer(classes)) }),
    ...(upstream && {
      upstream: {
        states: normal(1, batch, timeSteps, units),
        ...(random.uniform() < 0.7 && { finalState: normal(1, batch, units) }),
      },
    }),
    weights: output ? weights : { kernel, recurrentKernel, bias },
  };
  return {
    ...roundProblem({ id: `generated-${seed}-${index}-${kind}`, ...fields }),
    kind,
  };
}

/** 0 and 1: padding at the end, or holes anywhere. */
function maskOf(random: Random, batch: number, timeSteps: number): Tensor {
  const mask = zeros(batch, timeSteps);
  const holes = random.uniform() < 0.5;
  for (let b = 0; b < batch; b++) {
    const length = random.integer(timeSteps + 1);
    for (let t = 0; t < timeSteps; t++)
      mask.data[b * timeSteps + t] = (holes ? random.uniform() < 0.7 : t < length) ? 1 : 0;
  }
  return mask;
}

interface AllWeights {
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor;
  readonly outputKernel: Tensor;
  readonly outputBias: Tensor;
}

function distort(
  kind: ProblemKind,
  random: Random,
  inputs: Tensor,
  weights: AllWeights,
  scale: number,
): void {
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = weights;
  const all = Object.values(weights) as Tensor[];
  const units = bias.shape[0];
  const [batch, timeSteps, features] = inputs.shape;
  const change = (tensor: Tensor, to: (x: number, i: number) => number): void => {
    tensor.data.forEach((x, i) => (tensor.data[i] = to(x, i)));
  };
  switch (kind) {
    case 'gaussian':
      return;
    case 'constant':
      for (const w of all) change(w, () => scale / Math.sqrt(w.shape[0]));
      return;
    case 'positive':
      for (const w of all) change(w, Math.abs);
      change(inputs, Math.abs);
      return;
    case 'symmetric':
      change(recurrentKernel, (x, i) => {
        const [row, column] = [Math.floor(i / units), i % units];
        return row <= column ? x : recurrentKernel.data[column * units + row];
      });
      return;
    case 'orthogonal':
      // a rotation in the planes (0, 1), (2, 3), ...
      change(recurrentKernel, (_, i) => {
        const [row, column] = [Math.floor(i / units), i % units];
        const angle = 1 + (row >> 1);
        if (row === column) return units % 2 === 1 && row === units - 1 ? 1 : Math.cos(angle);
        return row >> 1 === column >> 1 ? Math.sin(angle) * (row < column ? 1 : -1) : 0;
      });
      return;
    case 'identity':
      change(recurrentKernel, (_, i) => (Math.floor(i / units) === i % units ? 1 : 0));
      return;
    case 'sorted':
      for (const tensor of [inputs, kernel, recurrentKernel, outputKernel]) tensor.data.sort();
      return;
    case 'skewed':
      for (const tensor of [inputs, kernel, recurrentKernel, outputKernel])
        change(tensor, (x) => x * 10 ** (3 * random.normal()));
      change(recurrentKernel, (x) => Math.max(-3, Math.min(3, x)));
      return;
    case 'cancelling':
      change(kernel, (x, i) => (Math.floor(i / units) % 2 === 0 ? 100 * x : -kernel.data[i - units] + x));
      change(inputs, (x, i) => ((i % features) % 2 === 0 ? x : inputs.data[i - 1]));
      return;
    case 'subnormal': {
      const tiny = random.uniform() < 0.5 ? inputs : outputKernel;
      change(tiny, (x) => x * 2 ** (-120 - random.integer(25)));
      return;
    }
    case 'oneHot':
      change(inputs, (_, i) => (i % features === Math.floor(i / features) % features ? 1 : 0));
      return;
    case 'duplicateRows':
      change(inputs, (_, i) => inputs.data[i % (timeSteps * features)]);
      return;
    case 'constantInTime':
      change(inputs, (_, i) => {
        const b = Math.floor(i / (timeSteps * features)) % batch;
        return inputs.data[b * timeSteps * features + (i % features)];
      });
      return;
    case 'saturated':
      change(bias, (x) => 8 * Math.sign(x) + x);
      return;
    case 'largeLogits':
      change(outputBias, (x) => 100 * x);
      change(outputKernel, (x) => 60 * x);
      return;
    case 'sparse':
      for (const tensor of [inputs, kernel, recurrentKernel])
        change(tensor, (x) => (random.uniform() < 0.7 ? 0 : x));
      return;
    case 'powersOfTwo':
      for (const tensor of [inputs, ...all])
        change(tensor, (x) => (x === 0 ? 0 : Math.sign(x) * 2 ** Math.round(Math.log2(Math.abs(x)))));
      return;
  }
}
