import type { ClassifierWeights, CompileOptions } from './classifier-interface';
import { glorotUniform, orthogonal, scaledNormal } from './initializers';
import { createRandom } from './random';
import { checkSize, toTensor, zeros, type Tensor, type TensorLike } from './tensor';

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
  /** in place of initial ones */ readonly weights?: { readonly [K in keyof ClassifierWeights]: TensorLike };
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
 * The door of weights: copies them, checked against the sizes.
 *
 * @throws RangeError when a weight is missing, has another shape, or holds a number that is not finite
 */
export function checkClassifierWeights(
  weights: { readonly [K in keyof ClassifierWeights]: TensorLike },
  { features, units, classes }: ClassifierSizes,
  name = 'setWeights',
): ClassifierWeights {
  return {
    kernel: toTensor(weights.kernel, `${name}: kernel`, [features, units]),
    recurrentKernel: toTensor(weights.recurrentKernel, `${name}: recurrentKernel`, [units, units]),
    bias: toTensor(weights.bias, `${name}: bias`, [units]),
    outputKernel: toTensor(weights.outputKernel, `${name}: outputKernel`, [units, classes]),
    outputBias: toTensor(weights.outputBias, `${name}: outputBias`, [classes]),
  };
}

/** @throws RangeError when a size is not an integer of at least 1 */
export function checkClassifierSizes({ features, units, classes }: ClassifierSizes): ClassifierSizes {
  return {
    features: checkSize('features', features),
    units: checkSize('units', units),
    classes: checkSize('classes', classes),
  };
}

/** Zeros in the shapes of the weights. */
export function zeroClassifierWeights({ features, units, classes }: ClassifierSizes): ClassifierWeights {
  return {
    kernel: zeros(features, units),
    recurrentKernel: zeros(units, units),
    bias: zeros(units),
    outputKernel: zeros(units, classes),
    outputBias: zeros(classes),
  };
}

/** The flat arrays of the weights, in the order of `weightNames`. */
export function weightArrays(weights: ClassifierWeights): Float64Array[] {
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = weights;
  return [kernel.data, recurrentKernel.data, bias.data, outputKernel.data, outputBias.data];
}

function roundToFloat32({ data, shape }: Tensor): Tensor {
  return { data: data.map(Math.fround), shape };
}
