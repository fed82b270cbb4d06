import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UsageError } from '../outcome';

/**
 * Some machines hold OpenBLAS, which computes NumPy's products, to kernels for older processors. A peer is measured at its
 * best: OpenBLAS chooses for itself. (Were it wrong then, it would not agree with scratch and not be timed.)
 */
export const pythonEnvironment = {
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
  PYTHONDONTWRITEBYTECODE: '1',
} as const;

/**
 * The Python to run other programs with: the one asked for, else the first of python3 and python on the PATH that runs.
 *
 * @returns undefined when none was asked for and none runs
 * @throws UsageError when the one asked for does not run
 */
export async function findPython(asked: string | undefined): Promise<string | undefined> {
  for (const command of asked === undefined ? ['python3', 'python'] : [asked]) {
    try {
      await promisify(execFile)(command, ['-c', 'import sys; assert sys.version_info >= (3, 8)'], {
        timeout: 30_000,
      });
      return command;
    } catch (error) {
      if (asked === undefined) continue;
      throw new UsageError(
        `--python: ${asked} does not run as Python 3.8 or later (${firstLine(error)}); give the path of an interpreter, for example .venv/bin/python.`,
      );
    }
  }
  return undefined;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0];
}
