/** The two walks of a bidirectional layer. */
export const directions = ['forward', 'backward'] as const;

/** The weights of one direction, under the names that its layer knows: forwardKernel is kernel. */
export function partOf<T>(weights: Readonly<Record<string, T>>, direction: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([key]) => key.startsWith(direction))
      .map(([key, weight]) => [
        key[direction.length].toLowerCase() + key.slice(direction.length + 1),
        weight,
      ]),
  );
}

/** The way back: kernel is forwardKernel. */
export function prefixed<T>(weights: Readonly<Record<string, T>>, direction: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(weights).map(([key, weight]) => [direction + key[0].toUpperCase() + key.slice(1), weight]),
  );
}
