import path from 'node:path';
import type { BackendName } from '../backends/index';
import { endOf, runTool } from './run-tool';

/** Whether a backend computes right; else why it does not. */
export type ProbeAnswer =
  | { readonly works: true; readonly version: string }
  | { readonly works: false; readonly reason: string; readonly fix?: string };

/**
 * Loads a backend in a child process, where a library that crashes does no harm, and computes with it.
 *
 * @param addon for `tensorflow`: the addon to try instead of tfjs-node's own
 */
export async function probeBackend(name: BackendName, addon?: string): Promise<ProbeAnswer> {
  const result = await runTool(
    process.execPath,
    [...childScript(path.join(__dirname, 'probe-child')), name, ...(addon === undefined ? [] : [addon])],
    // Every symbol is bound at once, so that a missing one shows here and not in the middle of a training.
    { env: { LD_BIND_NOW: '1' }, timeoutMillis: 120_000 },
  );
  const line = result.stdout.split('\n').findLast((text) => text.startsWith('{"works":'));
  if (result.code === 0 && line !== undefined) return JSON.parse(line) as ProbeAnswer;
  return { works: false, reason: `the process that tried it ended with ${endOf(result)}` };
}

/**
 * The arguments that make `process.execPath` run one of our scripts in a child process: `spawn(process.execPath,
 * [...childScript(path.join(__dirname, 'smoke-child')), ...args])`. From the TypeScript sources it is the JavaScript that
 * test/support/build-program.cjs has made of them.
 *
 * @param file absolute path of the script without its extension
 */
export function childScript(file: string): string[] {
  if (!__filename.endsWith('.ts')) return [`${file}.js`];
  const root = path.join(__dirname, '..', '..');
  return [path.join(root, 'dist-test', `${path.relative(root, file)}.js`)];
}
