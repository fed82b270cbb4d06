import { zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Problem } from '../base/problem';

/**
 * The same sequence through K copies of the layer, the blocks of a ring, of which only one is alive at each step:
 *
 *     block of step t = (t - T) mod K        (t = 1..T; the last step is in block 0, the initial state in block -T mod K)
 *
 * Inputs are placed in the features of their step's block, the recurrent kernel leads from block k - 1 to block k, the bias is one
 * more input (1) of the block, and the gradients that arrive from above are placed likewise. A block that is not alive has z = 0,
 * h = 0 and no gradient, exactly. Outputs and gradients of the live blocks are those of the plain problem, so that block k of
 *
 *     dKernel, dRecurrentKernel, dBias   is the sum of x_t^T dz_t, h_(t-1)^T dz_t, dz_t over the steps of block k alone:
 *
 * an opaque implementation shows what single steps contribute to its sums over time. With K = T each block has one step.
 *
 * @param problem the mask is left out: blocks follow the step
 * @returns features K (F + 1), units K U; its bias is zero
 */
export function timeBlocksProblem(problem: Problem, blocks: number): Problem {
  const { batch, timeSteps, features, units, classes } = sizesOf(problem);
  const { weights, initialState, upstream } = problem;
  const K = blocks;
  const width = features + 1;
  const inputs = zeros(batch, timeSteps, K * width);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < timeSteps; t++) {
      const row = b * timeSteps + t;
      const to = row * K * width + blockOf(t, timeSteps, K) * width;
      inputs.data.set(problem.inputs.data.subarray(row * features, (row + 1) * features), to);
      inputs.data[to + features] = 1;
    }
  }
  const kernel = zeros(K * width, K * units);
  const recurrentKernel = zeros(K * units, K * units);
  for (let k = 0; k < K; k++) {
    for (let f = 0; f < features; f++) copyRow(weights.kernel, f, kernel, k * width + f, k * units);
    kernel.data.set(weights.bias.data, (k * width + features) * K * units + k * units);
    const before = (k + K - 1) % K;
    for (let i = 0; i < units; i++)
      copyRow(weights.recurrentKernel, i, recurrentKernel, before * units + i, k * units);
  }
  const outputKernel = classes === undefined ? undefined : zeros(K * units, classes);
  outputKernel?.data.set(weights.outputKernel?.data ?? []);
  const { id, labels } = problem;
  const first = blockOf(-1, timeSteps, K);
  return {
    id: `${id}, ring of ${K}`,
    inputs,
    ...(initialState && { initialState: widened(initialState, K, () => first) }),
    ...(labels && { labels }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && {
          states: widened(upstream.states, K, (row) => blockOf(row % timeSteps, timeSteps, K)),
        }),
        ...(upstream.finalState && { finalState: widened(upstream.finalState, K, () => 0) }),
      },
    }),
    weights: {
      kernel,
      recurrentKernel,
      bias: zeros(K * units),
      ...(outputKernel && weights.outputBias && { outputKernel, outputBias: weights.outputBias }),
    },
  };
}

/** The block that is alive at a time step counted from 0; -1 is the initial state. */
export function blockOf(timeStep: number, timeSteps: number, blocks: number): number {
  const at = (timeStep + 1 - timeSteps) % blocks;
  return at < 0 ? at + blocks : at;
}

/** Sizes of the rings that together tell T steps apart: T itself while that is small, else two neighbours, which have no factor in common. */
export function timeBlockSizes(timeSteps: number): number[] {
  if (timeSteps <= 12) return [timeSteps];
  const first = Math.ceil((Math.sqrt(1 + 4 * timeSteps) - 1) / 2);
  return [first, first + 1];
}

/** The steps in whose block something is wrong in every ring (Chinese remainder theorem: one step where one block is wrong in each). */
export function stepsInBlocks(timeSteps: number, rings: readonly Ring[]): number[] {
  return Array.from({ length: timeSteps }, (_, t) => t).filter((t) =>
    rings.every(({ blocks, wrong }) => wrong.has(blockOf(t, timeSteps, blocks))),
  );
}

export interface Ring {
  readonly blocks: number;
  /** blocks in which a sum is wrong */ readonly wrong: ReadonlySet<number>;
}

function copyRow(from: Tensor, row: number, to: Tensor, toRow: number, toColumn: number): void {
  const n = from.shape[1];
  to.data.set(from.data.subarray(row * n, (row + 1) * n), toRow * to.shape[1] + toColumn);
}

/** Rows [.., U] as rows [.., K U], each in its block. */
function widened(tensor: Tensor, blocks: number, block: (row: number) => number): Tensor {
  const units = tensor.shape[tensor.shape.length - 1];
  const out = zeros(...tensor.shape.slice(0, -1), blocks * units);
  for (let row = 0; row * units < tensor.data.length; row++)
    out.data.set(
      tensor.data.subarray(row * units, (row + 1) * units),
      row * blocks * units + block(row) * units,
    );
  return out;
}
