import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';

/** Imports a user's module, TypeScript or JavaScript, ESM or CommonJS, which may import this package by name from wherever it lies. */
export function importModule(file: string): Promise<unknown> {
  const root = join(__dirname, '..', '..', '..');
  const alias = {
    'rnn-parity/harness': join(root, 'harness', 'index'),
    'rnn-parity/scratch': join(root, 'scratch', 'index'),
    'rnn-parity': join(root, 'src', 'index'),
  };
  return createJiti(pathToFileURL(file).href, { alias }).import(file);
}
