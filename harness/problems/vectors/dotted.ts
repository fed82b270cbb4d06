import type { Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import {
  evaluationOf,
  expectedNames,
  expectedShape,
  isLayered,
  tablesOf,
  type AnyProblem,
  type Axis,
  type Evaluation,
} from '../../base/problem';
import { fieldsOf, readMask, readNumber, readTensor, type Fields } from './field';

/**
 * The tensors of a problem by their dotted names, but for the inputs, which are known.
 *
 * @param parts axes of what it may hold
 * @param layers of its model; 0 for the simple RNN
 */
export function readParts(
  fields: Fields,
  parts: ReadonlyMap<string, readonly Axis[]>,
  where: string,
  layers: number,
): [string, Tensor][] {
  return dottedIn(fields, [...parts.keys()], where, layers)
    .filter(([name]) => name !== 'inputs')
    .map(([name, item]) => {
      const sizes = (parts.get(name) ?? []).map(({ size }) => size);
      const place = `${where}.${name}`;
      return [
        name,
        name === 'mask' ? readMask(item, place, sizes[0], sizes[1]) : readTensor(item, place, sizes),
      ];
    });
}

/** What is expected of an answer: tensors by the names of `expectedNames`, nested as an answer has them. */
export function readExpected(value: unknown, problem: AnyProblem, where: string): Evaluation {
  const known = expectedNames(problem);
  const names = [...tablesOf(problem).answer.keys()];
  const fields = fieldsOf(value, where, [...new Set(names.map((name) => name.split('.')[0]))]);
  const found = new Map<string, Tensor>();
  for (const [name, item] of dottedIn(fields, names, where, problem.model?.layers.length ?? 0)) {
    const place = `${where}.${name}`;
    if (!known.includes(name)) throw new UsageError(`${place} is expected, but ${lacking(problem, name)}`);
    found.set(
      name,
      name === 'loss'
        ? { data: Float64Array.of(readNumber(item, place)), shape: [] }
        : readTensor(item, place, expectedShape(problem, name)),
    );
  }
  if (found.size === 0)
    throw new UsageError(
      `${where} holds no tensor; give at least one of ${known.join(', ')}, else nothing is compared.`,
    );
  return evaluationOf(found);
}

/** Why an answer to the problem does not hold that tensor. */
function lacking(problem: AnyProblem, name: string): string {
  if (isLayered(problem))
    return `the problem has ${name === 'loss' ? 'neither labels nor targets' : 'neither labels, targets nor upstream'}; add one of them.`;
  if (name === 'logits' || name === 'probabilities')
    return 'problem.weights has no output layer; add outputKernel and outputBias.';
  if (name === 'loss' || name.startsWith('gradients.output'))
    return 'the problem has no labels; add problem.labels.';
  return 'the problem has neither labels nor upstream; add one of them, so that there is a gradient.';
}

/**
 * The items of nested fields by their dotted names. What is by layer is an array with an object for every layer, or an object with
 * `layer1`, `layer2`, ...
 *
 * @param names that may be there, for example `weights.layer1.kernel`
 */
function dottedIn(
  fields: Fields,
  names: readonly string[],
  where: string,
  layers: number,
): [string, unknown][] {
  const walk = (value: unknown, path: string): [string, unknown][] => {
    if (names.includes(path)) return value === undefined ? [] : [[path, value]];
    const inside = names
      .filter((name) => name.startsWith(`${path}.`))
      .map((name) => name.slice(path.length + 1));
    if (inside.length === 0 || value === undefined) return [];
    const keys = [...new Set(inside.map((name) => name.split('.')[0]))];
    const isByLayer = keys.every((key) => /^layer\d+$/.test(key));
    const given = isByLayer && Array.isArray(value) ? byNumber(value, `${where}.${path}`, layers) : value;
    const every = isByLayer ? Array.from({ length: layers }, (_, i) => `layer${i + 1}`) : keys;
    return [...fieldsOf(given, `${where}.${path}`, every)].flatMap(([key, item]) => {
      const isEmpty = isByLayer && !keys.includes(key);
      if (isEmpty) fieldsOf(item, `${where}.${path}.${key}`, []);
      return walk(item, `${path}.${key}`);
    });
  };
  return [...fields].flatMap(([key, item]) => walk(item, key));
}

function byNumber(list: readonly unknown[], where: string, layers: number): Fields {
  if (list.length !== layers)
    throw new UsageError(
      `${where} has ${list.length} elements, but the model has ${layers} layers; give an object for each, {} for a layer without any.`,
    );
  return new Map(list.map((item, i) => [`layer${i + 1}`, item]));
}
