import type { ClassifierWeights, CompileOptions, OptimizerState } from './classifier-interface';
import { checkClipNorm } from './clip';
import { glorotUniform, orthogonal, scaledNormal } from './initializers';
import { resolveOptimizer, type ResolvedOptimizerConfig } from './optimizer';
import { checkOptions, describe, type OptionNames } from './options';
import { createRandom } from './random';
import { checkMemory, checkSize, toTensor, zeros, type Tensor, type TensorLike } from './tensor';

/** The sizes of a classifier: features F, units U, classes C. */
export interface ClassifierSizes {
  readonly features: number;
  readonly units: number;
  readonly classes: number;
}

/** `keras`: glorotUniform kernels, orthogonal recurrentKernel; `notebook`: 0.01 · normal. Biases are zeros. */
export type ClassifierInitializer = 'keras' | 'notebook';

/** What every classifier is made from, whatever computes it. */
export interface ClassifierOptions extends ClassifierSizes, CompileOptions {
  /** of the initial weights; default 0 */ readonly seed?: number;
  /** default keras */ readonly initializer?: ClassifierInitializer;
  /** instead of initial ones */ readonly weights?: { readonly [K in keyof ClassifierWeights]: TensorLike };
}

export const compileOptions: OptionNames<CompileOptions> = {
  optimizer: true,
  learningRate: true,
  clipNorm: true,
};
const classifierOptions: OptionNames<ClassifierOptions> = {
  features: true,
  units: true,
  classes: true,
  seed: true,
  initializer: true,
  weights: true,
  ...compileOptions,
};
const stateOptions: OptionNames<OptimizerState> = { config: true, step: true, slots: true };

/** @throws RangeError, TypeError when it is no state that getOptimizerState gives */
export function checkStateFields(
  state: { readonly config: unknown; readonly slots: unknown },
  name: string,
): void {
  checkOptions(state, stateOptions, name, 'field');
  for (const field of ['config', 'slots'] as const) {
    if (typeof state[field] === 'object' && state[field] !== null) continue;
    throw new TypeError(
      `${name}: ${field} is ${describe(state[field])}; pass a state as getOptimizerState gives it.`,
    );
  }
}

/** The keys of ClassifierWeights, in their order. */
export const weightNames = [
  'kernel',
  'recurrentKernel',
  'bias',
  'outputKernel',
  'outputBias',
] as const satisfies readonly (keyof ClassifierWeights)[];

/**
 * The weights training starts from. Rounded to float32, so that networks of either precision start equal: the same
 * sizes, seed and initialiser give the same weights on every side.
 *
 * @throws RangeError when a size is not a positive integer or the seed not an integer in 0..2^53-1
 */
export function initialClassifierWeights(
  options: ClassifierSizes & { readonly seed?: number; readonly initializer?: ClassifierInitializer },
): ClassifierWeights {
  const { features, units, classes } = checkClassifierSizes(options);
  const { seed = 0, initializer = 'keras' } = options;
  if (!['keras', 'notebook'].includes(initializer)) {
    throw new RangeError(
      `initialClassifierWeights: the initializer is ${initializer}; there are keras and notebook, so pass one of those.`,
    );
  }
  const random = createRandom(seed);
  const keras = initializer === 'keras';
  const input = keras ? glorotUniform : scaledNormal;
  return {
    kernel: roundToFloat32(input(random, features, units)),
    recurrentKernel: roundToFloat32(keras ? orthogonal(random, units) : scaledNormal(random, units, units)),
    bias: zeros(units),
    outputKernel: roundToFloat32(input(random, units, classes)),
    outputBias: zeros(classes),
  };
}

/**
 * The boundary check of weights: copies them, checked against the sizes.
 *
 * @throws RangeError when a weight is missing, has another shape, or holds a number that is not finite
 */
export function checkClassifierWeights(
  weights: { readonly [K in keyof ClassifierWeights]: TensorLike },
  sizes: ClassifierSizes,
  name = 'setWeights',
): ClassifierWeights {
  const shapes = weightShapes(sizes);
  checkOptions(weights, shapes, name, 'weight');
  return mapWeights((key) => toTensor(weights[key], `${name}: ${key}`, shapes[key]));
}

/**
 * @throws RangeError when a size is not an integer of at least 1, when there is one class only, or when the weights need
 * more memory than there may be
 */
export function checkClassifierSizes({ features, units, classes }: ClassifierSizes): ClassifierSizes {
  const sizes = {
    features: checkSize('features', features),
    units: checkSize('units', units),
    classes: checkSize('classes', classes),
  };
  if (classes === 1) {
    throw new RangeError(
      'classes is 1; the softmax of one number is always 1, so every answer would be class 0 with probability 1: pass at least 2. ' +
        'A single sigmoid output with weights w [U, 1] and b [1] is the same function as 2 classes with outputKernel [0, w] and outputBias [0, b].',
    );
  }
  checkMemory(
    `units ${units}, features ${features}, classes ${classes}`,
    ...Object.values(weightShapes(sizes)),
  );
  return sizes;
}

/** The shape of each weight, in the order of `weightNames`. */
export function weightShapes({
  features: F,
  units: U,
  classes: C,
}: ClassifierSizes): Record<keyof ClassifierWeights, readonly number[]> {
  return { kernel: [F, U], recurrentKernel: [U, U], bias: [U], outputKernel: [U, C], outputBias: [C] };
}

/** One value per weight, in the order of `weightNames`. */
export function mapWeights<T>(
  make: (name: keyof ClassifierWeights, i: number) => T,
): Record<keyof ClassifierWeights, T> {
  const entries = weightNames.map((name, i) => [name, make(name, i)] as const);
  return Object.fromEntries(entries) as Record<keyof ClassifierWeights, T>;
}

/** Zeros in the shapes of the weights. */
export function zeroClassifierWeights(sizes: ClassifierSizes): ClassifierWeights {
  const shapes = weightShapes(sizes);
  return mapWeights((name) => zeros(...shapes[name]));
}

/** What `compile` asks for, every default filled in. */
export interface ResolvedCompileOptions {
  readonly config: ResolvedOptimizerConfig;
  readonly clipNorm: number | undefined;
}

/** @throws RangeError on an unknown option or a setting out of range */
export function resolveCompile(options: CompileOptions): ResolvedCompileOptions {
  checkOptions(options, compileOptions, 'compile');
  const { clipNorm } = options;
  return {
    config: resolveOptimizer(options),
    clipNorm: clipNorm === undefined ? undefined : checkClipNorm(clipNorm, 'compile'),
  };
}

/**
 * The boundary check of a classifier's constructor: everything that it is made from, checked.
 *
 * @param name of the class, for messages
 * @param more the options that this class has besides those of ClassifierOptions
 * @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit
 */
export function resolveClassifier(
  options: ClassifierOptions,
  name: string,
  more: Readonly<Record<string, true>> = {},
): ResolvedCompileOptions & { readonly sizes: ClassifierSizes; readonly weights: ClassifierWeights } {
  checkOptions(options, { ...classifierOptions, ...more }, name);
  const { optimizer, learningRate, clipNorm } = options;
  const sizes = checkClassifierSizes(options);
  return {
    ...resolveCompile({
      ...(optimizer !== undefined && { optimizer }),
      ...(learningRate !== undefined && { learningRate }),
      ...(clipNorm !== undefined && { clipNorm }),
    }),
    sizes,
    weights:
      options.weights === undefined
        ? initialClassifierWeights(options)
        : checkClassifierWeights(options.weights, sizes, name),
  };
}

/** The classifier as a network of layers. */
export function classifierLayers({ features, units, classes }: ClassifierSizes) {
  return {
    features,
    layers: [
      { layer: 'simpleRNN', units },
      { layer: 'dense', units: classes },
    ],
  } as const;
}

/** The classifier's weights under the names of its two layers. */
export function weightsByLayer<T>({
  outputKernel,
  outputBias,
  kernel,
  recurrentKernel,
  bias,
}: Readonly<Record<keyof ClassifierWeights, T>>): Record<string, T>[] {
  return [
    { kernel, recurrentKernel, bias },
    { kernel: outputKernel, bias: outputBias },
  ];
}

/** The weights of its two layers under the classifier's names. */
export function weightsOfLayers<T>([recurrent, output]: readonly Readonly<Record<string, T>>[]): Record<
  keyof ClassifierWeights,
  T
> {
  const { kernel, recurrentKernel, bias } = recurrent;
  return { kernel, recurrentKernel, bias, outputKernel: output['kernel'], outputBias: output['bias'] };
}

/** The flat arrays of the weights, in the order of `weightNames`. */
export function weightArrays(weights: ClassifierWeights): Float64Array[] {
  return weightNames.map((name) => weights[name].data);
}

function roundToFloat32({ data, shape }: Tensor): Tensor {
  return { data: data.map(Math.fround), shape };
}
