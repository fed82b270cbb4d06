import { readJsonFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import type { BenchReport } from './schema';

/**
 * Reads the JSON of an earlier run.
 *
 * @throws UsageError when the file cannot be read or is something else
 */
export async function readReport(file: string): Promise<BenchReport> {
  const value = await readJsonFile(file, 'the file that rnn-parity bench --json FILE wrote');
  const problem = findProblem(value);
  if (problem === undefined) return value as BenchReport;
  throw new UsageError(
    `--from: ${file} is not a report of rnn-parity bench: ${problem}; give the file that "rnn-parity bench --json FILE" wrote.`,
  );
}

/** The first reason why a value is not a report; undefined for a report. */
function findProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  if (value['format'] !== 'rnn-parity-bench') return `its format is ${JSON.stringify(value['format'])}`;
  if (value['version'] !== 1) return `its version is ${JSON.stringify(value['version'])}, and 1 was expected`;
  if (!isObject(value['machine'])) return 'it names no machine';
  for (const key of ['sizes', 'sweeps', 'absent', 'warnings', 'endurance', 'command']) {
    if (!Array.isArray(value[key])) return `"${key}" is no list`;
  }
  for (const size of value['sizes'] as unknown[]) {
    const tasks: unknown = isObject(size) ? size['tasks'] : undefined;
    if (!Array.isArray(tasks)) return 'a size has no tasks';
    for (const task of tasks as unknown[]) {
      const results: unknown = isObject(task) ? task['results'] : undefined;
      if (!Array.isArray(results) || !results.every(isResult)) return 'a task has a result without times';
    }
  }
  return undefined;
}

function isResult(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['engine'] === 'string' &&
    Array.isArray(value['milliseconds']) &&
    isObject(value['spread'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
