import path from 'node:path';

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
