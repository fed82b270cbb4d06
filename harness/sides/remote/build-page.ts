import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { version } from '../../base/version';
import { style } from '../../reports/index';

/** Of the sources, also where JavaScript that was made of them runs. */
const folder = join(
  dirname(createRequire(__filename).resolve('rnn-parity/package.json')),
  'harness/parity/page',
);

const shared = {
  bundle: true,
  write: false,
  minify: true,
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  logLevel: 'silent',
  loader: { '.wasm': 'dataurl' },
  // a page has a document of its own
  external: ['linkedom'],
  legalComments: 'none',
} as const satisfies BuildOptions;

/** What a page has no use for, and what stands in for it: importing models, reading data, writing XML. */
const nothing = { contents: 'module.exports = {};' };
const unused: Readonly<Record<string, { readonly contents: string }>> = {
  '@tensorflow/tfjs-converter': { contents: 'export const version_converter = "";' },
  '@tensorflow/tfjs-data': { contents: 'export const version_data = "";' },
  xmlbuilder: nothing,
};

const leaveOut: Plugin = {
  name: 'leave out',
  setup: (build) => {
    build.onResolve({ filter: /^[@a-z]/ }, ({ path }) =>
      path in unused ? { path, namespace: 'unused' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => unused[path]);
  },
};

/** What a page may do: run what it holds, draw, and talk to the server that it came from. */
const policy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  "connect-src 'self' data:",
  'img-src data:',
].join('; ');

/** One self-contained file: both scripts, the WebAssembly of tfjs and the style are in it. Needs esbuild. */
export async function buildPage(): Promise<string> {
  const { build } = await import('esbuild');
  const bundle = async (entry: string): Promise<string> => {
    const result = await build({
      ...shared,
      entryPoints: [join(folder, entry)],
      plugins: [leaveOut],
    });
    return result.outputFiles[0].text;
  };
  const [template, main, worker, tfjs] = await Promise.all([
    readFile(join(folder, 'page.html'), 'utf8'),
    bundle('main.ts'),
    bundle('worker.ts'),
    readFile(require.resolve('@tensorflow/tfjs/package.json'), 'utf8'),
  ]);
  const script = (code: string): string =>
    code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const values: Readonly<Record<string, string>> = {
    ...{ policy, version, style, main: script(main), worker: script(worker) },
    tfjs: (JSON.parse(tfjs) as { readonly version: string }).version,
  };
  return template.replace(/(?:\/\* )?\{\{(\w+)\}\}(?: \*\/)?/g, (_, name: string) => values[name]);
}

/** The page as the package holds it. */
const built = join(__dirname, '../../parity/page/page.built.html');

let page: Promise<string> | undefined;

/** The page: of the package, or built from the sources; read or built once. */
export function pageHtml(): Promise<string> {
  page ??= existsSync(built) ? readFile(built, 'utf8') : buildPage();
  return page;
}
