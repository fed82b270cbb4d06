import { UsageError } from '../../base/outcome';
import { readNumber } from './field';

/**
 * Absolute tolerances by tensor, from what a file gives.
 *
 * @param entries of each name what is given, and which tensors it means
 * @throws UsageError when one is no number of at least 0, or a tensor has two
 */
export function toleranceOf(
  entries: readonly (readonly [name: string, given: unknown, tensors: readonly string[]])[],
  where: string,
): Map<string, number> {
  const tolerance = new Map<string, number>();
  for (const [name, given, tensors] of entries) {
    const allowed = readNumber(given, `${where}.${name}`);
    if (allowed < 0)
      throw new UsageError(`${where}.${name} is ${allowed}; an absolute error of 0 or more was expected.`);
    for (const tensor of tensors) {
      if (tolerance.has(tensor)) throw new UsageError(`${where} gives ${tensor} twice; keep one of them.`);
      tolerance.set(tensor, allowed);
    }
  }
  return tolerance;
}
