import { UsageError } from '../../base/outcome';
import { expectedNames, isLayered, tensorNames, type AnyProblem, type TensorName } from '../../base/problem';
import { fieldsOf, readNumber } from './field';

/** Absolute tolerances by dotted name, as the file gives them; a name that others begin with means all of these. */
export function readTolerance(value: unknown, problem: AnyProblem, where: string): Map<string, number> {
  if (value === undefined) return new Map();
  return isLayered(problem)
    ? layeredTolerance(value, expectedNames(problem), where)
    : simpleTolerance(value, where);
}

/** `gradients`, `gradients.weights.layer2` */
function layeredTolerance(value: unknown, known: readonly string[], where: string): Map<string, number> {
  const names = known.flatMap((name) => name.split('.').map((_, i, all) => all.slice(0, i + 1).join('.')));
  return toleranceOf(
    [...fieldsOf(value, where, [...new Set(names)])].map(([name, given]) => [
      name,
      given,
      known.filter((one) => one === name || one.startsWith(`${name}.`)),
    ]),
    where,
  );
}

const gradientNames = [
  'kernel',
  'recurrentKernel',
  'bias',
  'outputKernel',
  'outputBias',
  'inputs',
  'initialState',
] as const;

function simpleTolerance(value: unknown, where: string): Map<string, number> {
  const fields = fieldsOf(value, where, [...tensorNames, ...gradientNames, 'gradients']);
  const entries = [...fields].flatMap(([key, item]) =>
    key === 'gradients' && typeof item === 'object' && item !== null
      ? [...fieldsOf(item, `${where}.gradients`, gradientNames)]
      : [[key, item] as const],
  );
  return toleranceOf(
    entries.map(([name, given]) => [name, given, namesFor(name)]),
    where,
  );
}

/** `kernel` and `gradients.kernel` mean the same; `gradients` means all of them. */
function namesFor(name: string): TensorName[] {
  if (name === 'gradients') return tensorNames.filter((full) => full.startsWith('gradients.'));
  return tensorNames.filter((full) => full === name || full === `gradients.${name}`);
}

/**
 * Absolute tolerances by tensor, from what a file gives.
 *
 * @param entries of each name what is given, and which tensors it means
 * @throws UsageError when one is no number of at least 0, or a tensor has two
 */
function toleranceOf(
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
