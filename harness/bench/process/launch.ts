import path from 'node:path';
import { childScript } from '../../../src/index';
import { pythonEnvironment, type Launch } from '../../base/process/index';
import type { EngineEntry } from '../catalogue';

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
    env: { ...env, ...pythonEnvironment },
  };
}
