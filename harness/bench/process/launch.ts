import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { childScript } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import type { EngineEntry } from '../catalogue';
import type { Launch } from './engine-process';

/**
 * Some machines hold OpenBLAS, which computes NumPy's products, to kernels for older processors. A peer is measured at its
 * best: OpenBLAS chooses for itself. (Were it wrong then, it would not agree with scratch and not be timed.)
 */
const openBlasAsItIs = { OPENBLAS_CORETYPE: undefined, OPENBLAS_L2_SIZE: undefined };

/** How to start an engine. `python` is undefined when no Python runs; engines that need it are then absent. */
export function launchOf(entry: EngineEntry, python: string | undefined): Launch | undefined {
  const env = { ...entry.env };
  if (entry.runs === 'node') {
    const script = childScript(path.join(__dirname, 'engine-child'));
    return { command: process.execPath, args: [...script, entry.name], env };
  }
  if (python === undefined) return undefined;
  const serve = path.join(__dirname, '..', 'peers', 'serve.py');
  return {
    command: python,
    args: [serve, entry.name],
    env: { ...env, ...openBlasAsItIs, PYTHONDONTWRITEBYTECODE: '1' },
  };
}

/**
 * The Python to run peers with: the one asked for, else the first of python3 and python on the PATH that runs.
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
