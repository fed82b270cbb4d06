import { zeros, type Tensor } from '../../scratch/index';
import type { InstrumentedEvaluation, TfjsProblem } from './evaluate';
import type { TfjsEvaluation } from './run';

/**
 * The same network with U more features, all zero, whose rows of the kernel are the identity:
 *
 *     z_t = x_t · kernel + 0 · I + h_{t-1} · recurrentKernel + bias        dLoss/d(those features) = dz_t · Iᵀ = dz_t
 *
 * Only products with 0 and 1 are added, so neither the states nor the other gradients change.
 */
export function widen(problem: TfjsProblem): TfjsProblem {
  const { inputs, weights } = problem;
  const [batch, timeSteps] = inputs.shape;
  const [features, units] = weights.kernel.shape;
  const identity = zeros(units, units);
  for (let u = 0; u < units; u++) identity.data[u * units + u] = 1;
  const kernel = new Float64Array((features + units) * units);
  kernel.set(weights.kernel.data);
  kernel.set(identity.data, features * units);
  return {
    ...problem,
    inputs: joinColumns(inputs, zeros(batch, timeSteps, units)),
    weights: { ...weights, kernel: { data: kernel, shape: [features + units, units] } },
  };
}

/** Takes the widened network's gradients apart: those of the problem's own features and rows, and dz_t. */
export function readPreActivationGradient(
  { weights }: TfjsProblem,
  evaluation: TfjsEvaluation,
): InstrumentedEvaluation {
  const { inputs, kernel } = evaluation.gradients ?? {};
  if (inputs === undefined || kernel === undefined) return evaluation;
  const [features, units] = weights.kernel.shape;
  return {
    ...evaluation,
    gradients: {
      ...evaluation.gradients,
      inputs: columns(inputs, 0, features),
      kernel: { data: kernel.data.slice(0, features * units), shape: [features, units] },
    },
    dPreActivation: columns(inputs, features, features + units),
  };
}

/** [B, T, L] and [B, T, R] to [B, T, L + R]. */
function joinColumns(left: Tensor, right: Tensor): Tensor {
  const [batch, timeSteps, leftWidth] = left.shape;
  const rightWidth = right.shape[2];
  const width = leftWidth + rightWidth;
  const joined = zeros(batch, timeSteps, width);
  for (let row = 0; row < batch * timeSteps; row++) {
    joined.data.set(left.data.subarray(row * leftWidth, (row + 1) * leftWidth), row * width);
    joined.data.set(right.data.subarray(row * rightWidth, (row + 1) * rightWidth), row * width + leftWidth);
  }
  return joined;
}

/** tensor[:, :, from:to]. @param tensor [B, T, W] */
function columns({ data, shape: [batch, timeSteps, width] }: Tensor, from: number, to: number): Tensor {
  const cut = zeros(batch, timeSteps, to - from);
  for (let row = 0; row < batch * timeSteps; row++) {
    cut.data.set(data.subarray(row * width + from, row * width + to), row * (to - from));
  }
  return cut;
}
