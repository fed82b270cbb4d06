import { basename } from 'node:path';
import { isStringArray, readNpz, weightsArchive, type NpyArray } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { tensorNames } from '../../base/problem';
import { layeredFields, simpleFields } from '../../base/problem-names';
import { ReadTensor } from './field';
import { checkFormat } from './json';
import { readCase, type VectorCase } from './vector-case';

const problemNames = new Set([...simpleFields, ...layeredFields]);
const expectedGroups = [
  ...new Set([...tensorNames.map((name) => name.split('.')[0]), 'sequences', 'finalStates', 'outputs']),
];

/**
 * Reads one case from a .npz whose array names are the dotted paths of the JSON format: `problem.inputs`,
 * `problem.weights.kernel`, `expected.gradients.bias`, `tolerance.states`, and optionally `id` and `format` (text).
 * Of a problem about layers, `problem.model` is the model as JSON text, and a name has its layer: `problem.weights.layer1.kernel`.
 * Shorter names are taken where they can mean one thing only: `inputs`, `weights.kernel`, `upstream.states` belong to the
 * problem; `states`, `loss`, `gradients.kernel` are expected values.
 */
export async function readNpzVectors(file: string): Promise<VectorCase> {
  const root: Tree = new Map();
  let id = basename(file, '.npz');
  let format: string | undefined;
  for (const [name, array] of await readNpz(file, weightsArchive)) {
    if (name === 'id') id = textOf(array, `${file}: id`);
    else if (name === 'format') format = textOf(array, `${file}: format`);
    else plant(root, pathOf(name, file), array, file);
  }
  const read = readCase(root, id, file, `${file}: case ${JSON.stringify(id)}`);
  if (format !== undefined) checkFormat(format, [read], file);
  return read;
}

type Tree = Map<string, unknown>;

/** The full path of an array's name. */
function pathOf(name: string, file: string): string[] {
  const path = name.split('.');
  if (path[0] === 'problem' || path[0] === 'expected') return path;
  if (path[0] === 'tolerance') return [path[0], path.slice(1).join('.')];
  if (problemNames.has(path[0])) return ['problem', ...path];
  if (expectedGroups.includes(path[0])) return ['expected', ...path];
  throw new UsageError(
    `${file} holds ${JSON.stringify(name)}, which is no path of the vectors format; write problem.weights.kernel, expected.gradients.kernel, expected.states, tolerance.states and so on.`,
  );
}

function plant(root: Tree, path: readonly string[], array: NpyArray, file: string): void {
  const isModel = path.join('.') === 'problem.model';
  if (isStringArray(array) !== isModel) {
    if (isModel)
      throw new UsageError(
        `${file}: problem.model holds numbers; the model as JSON text was expected: numpy.array(json.dumps(model)).`,
      );
    throw new UsageError(`${file}: ${path.join('.')} holds text; numbers were expected.`);
  }
  let at = root;
  for (const name of path.slice(0, -1)) {
    const next = at.get(name) ?? new Map<string, unknown>();
    if (!(next instanceof Map)) throw twice(path, file);
    at.set(name, next);
    at = next as Tree;
  }
  const last = path[path.length - 1];
  if (at.has(last)) throw twice(path, file);
  at.set(
    last,
    isStringArray(array)
      ? modelIn(textOf(array, `${file}: problem.model`), file)
      : new ReadTensor(array.data, array.shape),
  );
}

function modelIn(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: problem.model is not JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
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
