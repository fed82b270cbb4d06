import { NetworkPlan, sizeOf, type LayerConfig, type NetworkConfig } from '../../scratch/index';
import { parseLayers } from '../base/layers-text';
import { UsageError } from '../base/outcome';

/** One problem size: B sequences of T steps of F features, U units, C classes. */
export interface BenchSize {
  /** `S`, `M`, `L`, `digits`, or the letters themselves: `B32T28F28U128C10` */ readonly name: string;
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  /** the layers below the output layer; a simple RNN of U units when absent */
  readonly layers?: readonly LayerConfig[];
  /** where the examples come from */ readonly data: 'random' | 'digits';
  /** examples of one epoch */ readonly epochExamples: number;
}

/** The letters of a size and the field that each one sets. */
export const sizeLetters = {
  B: 'batch',
  T: 'timeSteps',
  F: 'features',
  U: 'units',
  C: 'classes',
} as const;
export type SizeLetter = keyof typeof sizeLetters;
const letters = Object.keys(sizeLetters) as SizeLetter[];

const named: Readonly<Record<string, BenchSize>> = {
  S: { ...spell(10, 5, 2, 4, 3), name: 'S', data: 'random', epochExamples: 20 * 10 },
  M: { ...spell(32, 28, 28, 128, 10), name: 'M', data: 'random', epochExamples: 20 * 32 },
  L: { ...spell(128, 100, 64, 512, 10), name: 'L', data: 'random', epochExamples: 3 * 128 },
  long: { ...spell(32, 784, 1, 128, 10), name: 'long', data: 'random', epochExamples: 3 * 32 },
  digits: { ...spell(32, 28, 28, 128, 10), name: 'digits', data: 'digits', epochExamples: 10_000 },
};

/** The sizes that have a name, in the order of the help text. */
export const namedSizes: readonly string[] = Object.keys(named);

/** `B10T5F2U4C3`: the letters and numbers of a size. */
export function describeSize(size: BenchSize): string {
  return letters.map((letter) => `${letter}${size[sizeLetters[letter]]}`).join('');
}

/**
 * Reads `S`, `digits` or `B10T5F2U4C3` (all five letters, any order).
 *
 * @throws UsageError when it is neither
 */
export function parseSize(text: string): BenchSize {
  if (Object.hasOwn(named, text)) return named[text];
  const found = new Map<string, number>();
  const rest = text.replace(/([BTFUC])(\d+)/g, (_, letter: string, digits: string) => {
    found.set(letter, found.has(letter) ? NaN : Number(digits));
    return '';
  });
  const values = letters.map((letter) => found.get(letter) ?? NaN);
  if (rest !== '' || !values.every((value) => Number.isSafeInteger(value) && value > 0)) {
    throw new UsageError(
      `--sizes: "${text}" is not a size; a size is one of ${namedSizes.join(', ')}, or each of B, T, F, U, C once with a whole number above 0, for example B10T5F2U4C3.`,
    );
  }
  const [batch, timeSteps, features, units, classes] = values;
  const size = { ...spell(batch, timeSteps, features, units, classes), data: 'random' as const };
  return { ...size, name: text, epochExamples: epochBatches(size) * batch };
}

/** The same size with one letter changed: a point of a sweep. Its name spells all letters. */
export function withLetter(size: BenchSize, letter: SizeLetter, value: number): BenchSize {
  const changed: BenchSize = { ...size, data: 'random', [sizeLetters[letter]]: value };
  return {
    ...changed,
    name: describeSize(changed),
    epochExamples: epochBatches(changed) * changed.batch,
  };
}

/** One axis of a sweep. */
export interface Sweep {
  readonly letter: SizeLetter;
  readonly values: readonly number[];
}

/**
 * Reads `T=5,10,20`.
 *
 * @throws UsageError unless it is one letter of T, U, B, F, C and at least two rising whole numbers
 */
export function parseSweep(text: string): Sweep {
  const match = /^([BTFUC])=(\d+(?:,\d+)+)$/.exec(text);
  const values = (match?.[2] ?? '').split(',').map(Number);
  if (match === null || !values.every((value, i) => value > (i === 0 ? 0 : values[i - 1]))) {
    throw new UsageError(
      `--sweep: "${text}" is not a sweep; write one letter of T, U, B, F, C and at least two rising whole numbers, for example T=5,10,20,50.`,
    );
  }
  return { letter: match[1] as SizeLetter, values };
}

/**
 * The same size with other layers below the output layer: `lstm:128`, `bidirectional(gru:64),lstm:32`.
 *
 * @throws UsageError when they cannot be read, do not fit on each other, or do not take the features of the size
 */
export function withLayers(size: BenchSize, text: string): BenchSize {
  const changed = { ...size, layers: parseLayers(text, '--layers'), name: `${size.name} ${text}` };
  try {
    new NetworkPlan(networkOf(changed), 'network');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--layers ${text}: ${error.message}`, { cause: error });
  }
  return changed;
}

/** The network of a size: its layers, and a dense layer of C classes on top. */
export function networkOf({ features, units, classes, layers }: NetworkSize): NetworkConfig {
  const below: readonly LayerConfig[] = layers ?? [{ layer: 'simpleRNN', units }];
  return { features, layers: [...below, { layer: 'dense', units: classes }] };
}

type NetworkSize = Pick<BenchSize, (typeof sizeLetters)[SizeLetter] | 'layers'>;

/**
 * Multiply-adds of one training step in products: each kernel is used once forward, once for its own gradient, and once for
 * the gradient of what it reads; the inputs of the network need none.
 */
export function stepMultiplyAdds(size: NetworkSize): number {
  const { batch, timeSteps } = size;
  const plan = new NetworkPlan(networkOf(size), 'bench');
  let hasTime = true;
  return plan.layers.reduce((sum, { shapes, output }, i) => {
    const rows = batch * (hasTime ? timeSteps : 1);
    hasTime = output.hasTime;
    const kernels = Object.entries(shapes).filter(([key]) => /kernel$/i.test(key));
    const uses = kernels.map(
      ([key, shape]) => sizeOf(shape) * (i === 0 && !/recurrentKernel$/i.test(key) ? 2 : 3),
    );
    return sum + rows * uses.reduce((a, b) => a + b, 0);
  }, 0);
}

function spell(batch: number, timeSteps: number, features: number, units: number, classes: number) {
  return { batch, timeSteps, features, units, classes };
}

/** 20 batches where a step is cheap, 3 where it is not. */
function epochBatches(size: NetworkSize): number {
  return stepMultiplyAdds(size) < 1e9 ? 20 : 3;
}
