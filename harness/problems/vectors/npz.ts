import { basename } from 'node:path';
import { isStringArray, readNpz, weightsArchive, type NpyArray } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { tensorNames } from '../../base/problem';
import { ReadTensor } from './field';
import { vectorsFormat } from './json';
import { readCase, type VectorCase } from './vector-case';

const problemNames = ['inputs', 'initialState', 'labels', 'upstream', 'mask', 'weights'];
const expectedGroups = [...new Set(tensorNames.map((name) => name.split('.')[0]))];

/**
 * Reads one case from a .npz whose array names are the dotted paths of the JSON format: `problem.inputs`,
 * `problem.weights.kernel`, `expected.gradients.bias`, `tolerance.states`, and optionally `id` and `format` (text).
 * Shorter names are taken where they can mean one thing only: `inputs`, `weights.kernel`, `upstream.states` belong to the
 * problem; `states`, `loss`, `gradients.kernel` are expected values.
 */
export async function readNpzVectors(file: string): Promise<VectorCase> {
  const root: Tree = new Map();
  let id = basename(file, '.npz');
  for (const [name, array] of await readNpz(file, weightsArchive)) {
    if (name === 'id') id = textOf(array, `${file}: id`);
    else if (name === 'format') checkFormat(textOf(array, `${file}: format`), file);
    else plant(root, pathOf(name, file), array, file);
  }
  return readCase(root, id, file, `${file}: case ${JSON.stringify(id)}`);
}

type Tree = Map<string, Tree | ReadTensor>;

/** The full path of an array's name. */
function pathOf(name: string, file: string): string[] {
  const path = name.split('.');
  if (path[0] === 'problem' || path[0] === 'expected') return path;
  if (path[0] === 'tolerance') return [path[0], path.slice(1).join('.')];
  if (problemNames.includes(path[0])) return ['problem', ...path];
  if (expectedGroups.includes(path[0])) return ['expected', ...path];
  throw new UsageError(
    `${file} holds ${JSON.stringify(name)}, which is no path of the vectors format; write problem.weights.kernel, expected.gradients.kernel, expected.states, tolerance.states and so on.`,
  );
}

function plant(root: Tree, path: readonly string[], array: NpyArray, file: string): void {
  if (isStringArray(array)) {
    throw new UsageError(`${file}: ${path.join('.')} holds text (${array.dtype}); numbers were expected.`);
  }
  let at = root;
  for (const name of path.slice(0, -1)) {
    const next = at.get(name) ?? new Map<string, Tree | ReadTensor>();
    if (next instanceof ReadTensor) throw twice(path, file);
    at.set(name, next);
    at = next;
  }
  const last = path[path.length - 1];
  if (at.has(last)) throw twice(path, file);
  at.set(last, new ReadTensor(array.data, array.shape));
}

function twice(path: readonly string[], file: string): UsageError {
  return new UsageError(
    `${file} gives ${path.join('.')} twice (once under a shorter name); keep one of them.`,
  );
}

function textOf(array: NpyArray, where: string): string {
  if (isStringArray(array) && array.data.length === 1 && array.data[0].trim() !== '') return array.data[0];
  throw new UsageError(`${where} is not one piece of text; save it as numpy.array("name").`);
}

function checkFormat(format: string, file: string): void {
  if (format !== vectorsFormat) {
    throw new UsageError(`${file}: format is ${JSON.stringify(format)}; "${vectorsFormat}" was expected.`);
  }
}
