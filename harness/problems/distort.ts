import type { Random, Tensor } from '../../scratch/index';

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

/** The tensors of a problem by what they do in it; the numbers in them are changed. */
export interface ProblemTensors {
  /** [B, T, F]; none where the inputs are integers */ readonly inputs: readonly Tensor[];
  /** [n, U], with a block of U columns for every gate */ readonly kernels: readonly Tensor[];
  /** [U, U], with a block of U columns for every gate */ readonly recurrentKernels: readonly Tensor[];
  readonly biases: readonly Tensor[];
  /** of the dense layer at the end */ readonly outputKernels: readonly Tensor[];
  readonly outputBiases: readonly Tensor[];
}

/** Gives Gaussian numbers the form of a kind. */
export function distort(kind: ProblemKind, random: Random, scale: number, tensors: ProblemTensors): void {
  const { inputs, kernels, recurrentKernels, biases, outputKernels, outputBiases } = tensors;
  const all = [...kernels, ...recurrentKernels, ...biases, ...outputKernels, ...outputBiases];
  const change = (some: readonly Tensor[], to: (x: number, i: number, tensor: Tensor) => number): void => {
    for (const tensor of some)
      tensor.data.forEach((x, i) => {
        tensor.data[i] = to(x, i, tensor);
      });
  };
  switch (kind) {
    case 'gaussian':
      return;
    case 'constant':
      change(all, (_, __, { shape }) => scale / Math.sqrt(shape[0]));
      return;
    case 'positive':
      change([...all, ...inputs], Math.abs);
      return;
    case 'symmetric':
      change(recurrentKernels, (x, i, { data, shape }) => {
        const { row, column, block } = placeIn(i, shape);
        return row <= column ? x : data[column * shape[1] + block + row];
      });
      return;
    case 'orthogonal':
      // a rotation in the planes (0, 1), (2, 3), ...
      change(recurrentKernels, (_, i, { shape }) => {
        const { row, column, units } = placeIn(i, shape);
        const angle = 1 + (row >> 1);
        if (row === column) return units % 2 === 1 && row === units - 1 ? 1 : Math.cos(angle);
        return row >> 1 === column >> 1 ? Math.sin(angle) * (row < column ? 1 : -1) : 0;
      });
      return;
    case 'identity':
      change(recurrentKernels, (_, i, { shape }) => {
        const { row, column } = placeIn(i, shape);
        return row === column ? 1 : 0;
      });
      return;
    case 'sorted':
      for (const { data } of [...inputs, ...kernels, ...recurrentKernels, ...outputKernels]) data.sort();
      return;
    case 'skewed':
      change(
        [...inputs, ...kernels, ...recurrentKernels, ...outputKernels],
        (x) => x * 10 ** (3 * random.normal()),
      );
      change(recurrentKernels, (x) => Math.max(-3, Math.min(3, x)));
      return;
    case 'cancelling':
      change(kernels, (x, i, { data, shape: [, columns] }) =>
        Math.floor(i / columns) % 2 === 0 ? 100 * x : -data[i - columns] + x,
      );
      change(inputs, (x, i, { data, shape: [, , features] }) => ((i % features) % 2 === 0 ? x : data[i - 1]));
      return;
    case 'subnormal': {
      const tiny = random.uniform() < 0.5 ? inputs : outputKernels;
      change(tiny, (x) => x * 2 ** (-120 - random.integer(25)));
      return;
    }
    case 'oneHot':
      change(inputs, (_, i, { shape: [, , features] }) =>
        i % features === Math.floor(i / features) % features ? 1 : 0,
      );
      return;
    case 'duplicateRows':
      change(inputs, (_, i, { data, shape: [, timeSteps, features] }) => data[i % (timeSteps * features)]);
      return;
    case 'constantInTime':
      change(inputs, (_, i, { data, shape: [batch, timeSteps, features] }) => {
        const b = Math.floor(i / (timeSteps * features)) % batch;
        return data[b * timeSteps * features + (i % features)];
      });
      return;
    case 'saturated':
      change(biases, (x) => 8 * Math.sign(x) + x);
      return;
    case 'largeLogits':
      change(outputBiases, (x) => 100 * x);
      change(outputKernels, (x) => 60 * x);
      return;
    case 'sparse':
      change([...inputs, ...kernels, ...recurrentKernels], (x) => (random.uniform() < 0.7 ? 0 : x));
      return;
    case 'powersOfTwo':
      change([...inputs, ...all], (x) =>
        x === 0 ? 0 : Math.sign(x) * 2 ** Math.round(Math.log2(Math.abs(x))),
      );
      return;
  }
}

/** Where an element of a recurrent kernel is: in the square of which gate, and in which row and column of it. */
function placeIn(i: number, [units, columns]: readonly number[]) {
  const at = i % columns;
  const column = at % units;
  return { units, row: Math.floor(i / columns), column, block: at - column };
}
