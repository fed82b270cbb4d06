import { describe } from '../../../scratch/index';
import { readTextFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { parseVectors } from './json';
import { readNpzVectors } from './npz';
import type { VectorCase } from './vector-case';

/**
 * Loads vectors from JSON and .npz files; ids stay as the files give them.
 *
 * @param files paths; a name ending in `.npz` is read as an archive with one case, every other as JSON
 * @throws UsageError with the file, the case and the field
 */
export async function loadVectors(files: string | readonly string[]): Promise<VectorCase[]> {
  const given: unknown = files;
  const isPath = (file: unknown): boolean => typeof file === 'string';
  if (!isPath(given) && !(Array.isArray(given) && given.every(isPath)))
    throw new TypeError(
      `loadVectors: files is ${Array.isArray(given) ? 'an array of something else than paths' : describe(given)}; pass a path, or an array of paths.`,
    );
  const cases: VectorCase[] = [];
  for (const file of typeof files === 'string' ? [files] : files) {
    if (file.toLowerCase().endsWith('.npz')) cases.push(await readNpzVectors(file));
    else cases.push(...parseVectors(await readTextFile(file), file));
  }
  const seen = new Map<string, string>();
  for (const { id, source } of cases) {
    const other = seen.get(id);
    if (other !== undefined) {
      throw new UsageError(
        `case ${JSON.stringify(id)} stands in ${other} and again in ${source}; ids must differ over all files.`,
      );
    }
    seen.set(id, source);
  }
  return cases;
}
