import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { childScript } from '../../../src/index';

/**
 * Imports a user's module into this process: what it prints goes to stderr, because stdout is the result, and where it ends the process
 * that is an error.
 *
 * @throws whatever the module throws; Error where it calls process.exit
 */
export async function importHere(file: string): Promise<unknown> {
  const { stdout, stderr } = process;
  const exit = process.exit.bind(process);
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  process.exit = (code) => {
    throw new Error(`it ends the process with exit code ${code ?? 0} while it is loaded`);
  };
  try {
    return await importModule(file);
  } finally {
    stdout.write = write;
    process.exit = exit;
  }
}

/** Imports a user's module, TypeScript or JavaScript, ESM or CommonJS, which may import this package by name from wherever it lies. */
export function importModule(file: string): Promise<unknown> {
  const root = join(__dirname, '..', '..', '..');
  // JavaScript, also where this is a source: jiti would transpile 700 modules
  const index = (room: string): string => childScript(join(root, room, 'index'))[0];
  const alias = {
    'rnn-parity/harness': index('harness'),
    'rnn-parity/scratch': index('scratch'),
    'rnn-parity': index('src'),
  };
  return createJiti(pathToFileURL(file).href, { alias }).import(file);
}
