/** Three significant digits and the unit that suits: `13.2 µs`, `158 µs`, `3.01 ms`, `1.82 s`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${threeDigits(1000 * milliseconds)} µs`;
  if (milliseconds < 999.5) return `${threeDigits(milliseconds)} ms`;
  return `${threeDigits(milliseconds / 1000)} s`;
}

/** `438 MiB`. */
export function formatBytes(bytes: number): string {
  return `${threeDigits(bytes / 2 ** 20)} MiB`;
}

/** `21.9x`: how many times faster than the baseline. */
export function formatRatio(ratio: number): string {
  return `${threeDigits(ratio)}x`;
}

/** Three significant digits, never in exponent form, large numbers whole. */
export function threeDigits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toFixed(Math.min(decimals, 8));
}
