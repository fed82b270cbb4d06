import type * as Tf from '@tensorflow/tfjs';

/**
 * Computes tanh(x·W) and the gradient of its sum with respect to W with tfjs's current backend, and compares with the
 * same numbers by Math.tanh in float64: d(sum)/dW[f,u] = sum over b of x[b,f] (1 - tanh²(x·W)[b,u]).
 *
 * @throws {Error} with the first number that is wrong
 */
export function checkComputation(tf: typeof Tf): void {
  const x = [
    [0.5, -1.25, 2],
    [-0.75, 0.1, 0.3],
  ];
  const w = [
    [0.2, -0.4],
    [0.7, 0.05],
    [-0.3, 0.9],
  ];
  const h = x.map((row) =>
    [0, 1].map((u) => Math.tanh(row.reduce((sum, value, f) => sum + value * w[f][u], 0))),
  );
  const dW = w.map((_, f) =>
    [0, 1].map((u) => x.reduce((sum, row, b) => sum + row[f] * (1 - h[b][u] ** 2), 0)),
  );

  const layer = (kernel: Tf.Tensor): Tf.Tensor => tf.tanh(tf.matMul(tf.tensor2d(x), kernel as Tf.Tensor2D));
  const [hFlat, dWFlat] = tf.tidy(() => {
    const kernel = tf.tensor2d(w);
    return [layer(kernel), tf.grad((k) => tf.sum(layer(k)))(kernel)].map((tensor) => tensor.dataSync());
  });
  compare('tanh(x·W)', hFlat, h.flat());
  compare('the gradient of sum(tanh(x·W))', dWFlat, dW.flat());
}

/** float32 has 2^-24 relative rounding; the numbers are near 1 and made in a handful of steps. */
const tolerance = 1e-5;

function compare(what: string, computed: ArrayLike<number>, exact: readonly number[]): void {
  if (computed.length !== exact.length)
    throw new Error(`${what} has ${computed.length} numbers, expected ${exact.length}`);
  exact.forEach((value, index) => {
    if (!(Math.abs(computed[index] - value) <= tolerance))
      throw new Error(`${what}: number ${index} is ${computed[index]}, expected ${value}`);
  });
}
