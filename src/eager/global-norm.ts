import type * as Tf from '@tensorflow/tfjs';

/** sqrt(Σ g²) over all elements of all gradients, summed in float64. */
export function globalNorm(gradients: readonly ArrayLike<number>[]): number {
  let sum = 0;
  for (const values of gradients) for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** gradients · clipNorm / norm, where the norm is above clipNorm. */
export function clipped(
  tf: typeof Tf,
  gradients: readonly Tf.Tensor[],
  norm: number,
  clipNorm: number | undefined,
): readonly Tf.Tensor[] {
  if (clipNorm === undefined || norm <= clipNorm) return gradients;
  const factor = clipNorm / norm;
  return gradients.map((gradient) => tf.mul(gradient, factor));
}
