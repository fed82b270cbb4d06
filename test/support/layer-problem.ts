import * as fc from 'fast-check';
import { createRandom, zeros, type SimpleRNNWeights, type Tensor } from '../../scratch/index';

/** A recurrent layer, inputs for it, and loss gradients arriving at it. */
export interface LayerProblem {
  readonly sizes: { readonly B: number; readonly T: number; readonly F: number; readonly U: number };
  readonly weights: SimpleRNNWeights;
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U] */ readonly initialState: Tensor;
  /** [B, T] */ readonly mask: Tensor | undefined;
  readonly upstream: { /** [B, T, U] */ readonly states: Tensor; /** [B, U] */ readonly finalState: Tensor };
}

/** A tensor of normal numbers of standard deviation `scale`. */
export function normalTensor(seed: number, scale: number, ...shape: number[]): Tensor {
  const random = createRandom(seed);
  const tensor = zeros(...shape);
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = scale * random.normal();
  return tensor;
}

/** The problem of these sizes that a seed stands for. */
export function layerProblem(
  seed: number,
  { B, T, F, U }: LayerProblem['sizes'],
  scale: number,
  masked: boolean,
): LayerProblem {
  const draw = (nth: number, size: number, ...shape: number[]) =>
    normalTensor(seed * 16 + nth, size, ...shape);
  const mask = zeros(B, T);
  const random = createRandom(seed);
  mask.data.forEach((_, i) => (mask.data[i] = random.integer(3) > 0 ? 1 : 0));
  return {
    sizes: { B, T, F, U },
    weights: {
      kernel: draw(0, scale, F, U),
      recurrentKernel: draw(1, scale, U, U),
      bias: draw(2, scale, U),
    },
    inputs: draw(3, 1, B, T, F),
    initialState: draw(4, 0.5, B, U),
    mask: masked ? mask : undefined,
    upstream: { states: draw(5, 1, B, T, U), finalState: draw(6, 1, B, U) },
  };
}

const size = fc.integer({ min: 1, max: 5 });

/** Layer problems of all small sizes; weights from 0.01 to saturating. */
export const layerProblems: fc.Arbitrary<LayerProblem> = fc
  .tuple(
    fc.nat(1_000_000),
    fc.record({ B: size, T: size, F: size, U: size }),
    fc.constantFrom(0.01, 0.3, 1, 3),
    fc.boolean(),
  )
  .map(([seed, sizes, scale, masked]) => layerProblem(seed, sizes, scale, masked));

/** max |x - y| / max(|x|, |y|), 0 when both are zero everywhere: the difference in units of the tensors' scale. */
export function scaledDifference(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < x.length; i++) {
    const d = Math.abs(x[i] - y[i]);
    if (!(d <= difference)) difference = d; // NaN stays
    scale = Math.max(scale, Math.abs(x[i]), Math.abs(y[i]));
  }
  return difference === 0 ? 0 : difference / scale;
}
