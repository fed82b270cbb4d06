/** Largest |element|; 0 for none. */
export function largest(a: ArrayLike<number> = []): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]));
  return max;
}

/** Root of the mean square, safe from under- and overflow; 0 for none. */
export function rootMeanSquare(a: ArrayLike<number>): number {
  const scale = largest(a);
  if (scale === 0 || !Number.isFinite(scale)) return scale;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / scale) ** 2;
  return scale * Math.sqrt(sum / a.length);
}
