import { UsageError } from '../../base/outcome';
import { expectedNames, isIn, isLayered, tensorNames, type AnyProblem } from '../../base/problem';
import { fieldsOf, readNumber } from './field';

/**
 * Absolute tolerances by dotted name, as the file gives them. A name that others begin with means all of these (`gradients`,
 * `gradients.weights.layer2`), and `kernel` means `gradients.kernel`; `gradients` may also be an object of these.
 *
 * @throws UsageError when one is no number of at least 0, or a tensor has two
 */
export function readTolerance(value: unknown, problem: AnyProblem, where: string): Map<string, number> {
  const tolerance = new Map<string, number>();
  if (value === undefined) return tolerance;
  const known: readonly string[] = isLayered(problem) ? expectedNames(problem) : tensorNames;
  const short = known.flatMap((name) => /^gradients\.(\w+)$/.exec(name)?.slice(1) ?? []);
  const beginnings = known.flatMap((name) =>
    name.split('.').map((_, i, all) => all.slice(0, i + 1).join('.')),
  );
  const entries = [...fieldsOf(value, where, [...new Set([...beginnings, ...short])])].flatMap(
    ([name, given]) =>
      name === 'gradients' && typeof given === 'object' && given !== null
        ? [...fieldsOf(given, `${where}.gradients`, short)]
        : [[name, given] as const],
  );
  for (const [name, given] of entries) {
    const allowed = readNumber(given, `${where}.${name}`);
    if (allowed < 0)
      throw new UsageError(`${where}.${name} is ${allowed}; an absolute error of 0 or more was expected.`);
    for (const tensor of known.filter((one) => isIn(one, [name]) || one === `gradients.${name}`)) {
      if (tolerance.has(tensor)) throw new UsageError(`${where} gives ${tensor} twice; keep one of them.`);
      tolerance.set(tensor, allowed);
    }
  }
  return tolerance;
}
