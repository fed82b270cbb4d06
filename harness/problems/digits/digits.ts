import { createRandom, initialClassifierWeights, type Tensor } from '../../../scratch/index';
import { loadDigits } from './load-digits';
import { roundProblem, type Problem } from '../../base/problem';

/** Real handwritten digits as sequences of 28 rows, 10 classes. */
export interface DigitBatch {
  /** [B, 28, 28] */ readonly inputs: Tensor;
  readonly labels: readonly number[];
}

const pixels = 28 * 28;

/** `count` batches of digits drawn by the seed. */
export async function digitBatches(seed: number, count: number, batch: number): Promise<DigitBatch[]> {
  const digits = await loadDigits();
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const chosen = Array.from({ length: batch }, () => random.integer(digits.labels.length));
    const data = new Float64Array(batch * pixels);
    chosen.forEach((at, b) => {
      data.set(digits.inputs.data.subarray(at * pixels, (at + 1) * pixels), b * pixels);
    });
    const inputs = { data: data.map(Math.fround), shape: [batch, 28, 28] };
    return { inputs, labels: chosen.map((at) => digits.labels[at]) };
  });
}

/** The ids of `digitProblems`. */
export const digitIds = ['digits/keras-weights', 'digits/notebook-weights'] as const;

/** A batch of 32 digits through fresh weights of Keras's initialisers, and one through the notebook's. */
export async function digitProblems(seed: number): Promise<Problem[]> {
  const [first, second] = await digitBatches(seed, 2, 32);
  const weights = (initializer: 'keras' | 'notebook'): Problem['weights'] =>
    initialClassifierWeights({ features: 28, units: 24, classes: 10, seed, initializer });
  return [
    roundProblem({ id: digitIds[0], ...first, weights: weights('keras') }),
    roundProblem({ id: digitIds[1], ...second, weights: weights('notebook') }),
  ];
}
