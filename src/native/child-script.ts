import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * The arguments that make `process.execPath` run one of our scripts in a child process, both from the TypeScript
 * sources and from `dist`: `spawn(process.execPath, [...childScript(path.join(__dirname, 'smoke-child')), ...args])`.
 *
 * @param file absolute path of the script without its extension
 */
export function childScript(file: string): string[] {
  if (!__filename.endsWith('.ts')) return [`${file}.js`];
  const manifest = createRequire(__filename).resolve('jiti/package.json');
  return [path.join(path.dirname(manifest), 'lib', 'jiti-cli.mjs'), `${file}.ts`];
}
