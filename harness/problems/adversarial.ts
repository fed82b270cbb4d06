import { createRandom, zeros, type Random, type Tensor } from '../../scratch/index';
import { roundProblem, type Problem } from '../base/problem';
import { draw } from './generated';
import { distort, problemKinds, type ProblemKind } from './distort';

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
  /** draws all sizes from so many shapes (`shapeOf`) */ readonly shapes?: number | undefined;
}

/**
 * The numbers from which problem `index` draws its sizes where there are only so many shapes: the same for every problem of a shape. A
 * device that compiles its programs for each shape, as a graphics card does, compiles few of them then.
 */
export function shapeOf(index: number, shapes: number): Random {
  return createRandom(90_001 + (index % shapes));
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
  const { shapes } = options;
  const sizes = shapes === undefined ? random : shapeOf(index, shapes);
  const size = (most: number, least = 1): number => sizeTo(sizes, most, least);
  const batch = size(limit.batch);
  const timeSteps = size(limit.timeSteps);
  const features = size(limit.features);
  const units = sizes.uniform() < 0.1 ? Math.min(features, limit.units) : size(limit.units);
  const classes = size(limit.classes, 2);
  const normalized = options.normalized === true || random.uniform() < 0.5;
  const scale = pick(options.scales ?? [0.01, 0.3, 1, 3]);
  const fan = (n: number): number => (normalized ? scale / Math.sqrt(n) : scale);
  const normal = (deviation: number, ...shape: number[]): Tensor =>
    draw(shape, () => deviation * random.normal());

  const inputs = normal(1, batch, timeSteps, features);
  const weights = {
    kernel: normal(fan(features), features, units),
    recurrentKernel: normal(fan(units), units, units),
    bias: normal(Math.min(scale, 0.5), units),
    outputKernel: normal(fan(units), units, classes),
    outputBias: normal(Math.min(scale, 0.5), classes),
  };
  distort(kind, random, scale, {
    inputs: [inputs],
    kernels: [weights.kernel],
    recurrentKernels: [weights.recurrentKernel],
    biases: [weights.bias],
    outputKernels: [weights.outputKernel],
    outputBiases: [weights.outputBias],
  });

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
    ...(masked && { mask: paddingOrHoles(random, batch, timeSteps) }),
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

/** Uniform in the logarithm: small sizes are as likely as large ones. */
export function sizeTo(random: Random, most: number, least = 1): number {
  return Math.min(most, Math.floor(least * ((most + 1) / least) ** random.uniform()));
}

/** 0 and 1: padding at the end, or holes anywhere. */
export function paddingOrHoles(random: Random, batch: number, timeSteps: number): Tensor {
  const mask = zeros(batch, timeSteps);
  const holes = random.uniform() < 0.5;
  for (let b = 0; b < batch; b++) {
    const length = random.integer(timeSteps + 1);
    for (let t = 0; t < timeSteps; t++)
      mask.data[b * timeSteps + t] = (holes ? random.uniform() < 0.7 : t < length) ? 1 : 0;
  }
  return mask;
}
