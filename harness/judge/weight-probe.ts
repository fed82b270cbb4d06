import { zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Problem } from '../problem';

/**
 * A problem of one time step that shows single weights, forward and backward: in each example exactly one number is not zero.
 *
 *     h_0 = e_i        h_1 = tanh(row i of recurrentKernel)
 *     x = e_f          h_1 = tanh(row f of kernel)
 *     dL/dh_1 = e_j    dL/dh_0 = column j of recurrentKernel, dL/dx = column j of kernel, since 1 - h_1^2 = 1
 *
 * All other products are zero, so nothing is rounded but the functions themselves, and a weight that is wrong by a few units in its
 * last place stands alone, however small it is beside its neighbours. The bias is left out (zero), so is the output layer.
 *
 * @param problem whose weights (and way of using them) are probed; exact in float32 when the problem is
 * @returns B = F + 2 U examples, T = 1
 */
export function weightProbe(problem: Problem): Problem {
  const { features, units } = sizesOf(problem);
  const { kernel, recurrentKernel } = problem.weights;
  const batch = features + 2 * units;
  const inputs = zeros(batch, 1, features);
  const initialState = zeros(batch, units);
  const finalState = zeros(batch, units);
  for (let f = 0; f < features; f++) inputs.data[f * features + f] = 1;
  for (let i = 0; i < units; i++) set(initialState, features + i, i);
  for (let j = 0; j < units; j++) set(finalState, features + units + j, j);
  return {
    id: `${problem.id}, weight probe`,
    inputs,
    initialState,
    upstream: { finalState },
    weights: { kernel, recurrentKernel, bias: zeros(units) },
  };
}

function set({ data, shape }: Tensor, row: number, column: number): void {
  data[row * shape[1] + column] = 1;
}
