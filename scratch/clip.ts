import { shown } from './options';

/** sqrt(Σ g²) over all elements of all tensors. */
export function globalNorm(tensors: readonly Float64Array[]): number {
  let sum = 0;
  for (const tensor of tensors) for (let i = 0; i < tensor.length; i++) sum += tensor[i] * tensor[i];
  return Math.sqrt(sum);
}

/**
 * Clips gradients by their global norm, in place (Pascanu, Mikolov & Bengio 2013): a step of its own, between backward
 * and the optimizer.
 *
 *     g = g · clipNorm / norm    when norm = sqrt(Σ g²) over all tensors exceeds clipNorm
 *
 * @returns the norm before clipping
 * @throws RangeError when clipNorm is not a positive number
 */
export function clipByGlobalNorm(gradients: readonly Float64Array[], clipNorm: number): number {
  checkClipNorm(clipNorm, 'clipByGlobalNorm');
  const norm = globalNorm(gradients);
  if (norm > clipNorm) {
    const factor = clipNorm / norm;
    for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
  }
  return norm;
}

/** @throws RangeError when clipNorm is not a positive number */
export function checkClipNorm(clipNorm: number, name: string): number {
  if (typeof clipNorm === 'number' && clipNorm > 0) return clipNorm;
  throw new RangeError(
    `${name}: clipNorm is ${shown(clipNorm)}; it must be a positive number, or left out for no clipping.`,
  );
}
