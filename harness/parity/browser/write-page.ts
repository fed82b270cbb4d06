import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { buildPage } from '../../sides/remote/index';

/** The last part of `npm run build`: the page, and the entry `rnn-parity/browser` as one ES module. */
async function write(): Promise<void> {
  const root = resolve(__dirname, '../../..');
  const dist = join(root, 'dist');
  writeFileSync(join(dist, 'harness/parity/page/page.built.html'), await buildPage());
  await build({
    entryPoints: [join(root, 'harness/browser.ts')],
    outfile: join(dist, 'browser.mjs'),
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    // tfjs has one registry of backends, so an application must have one tfjs
    external: ['@tensorflow/*', 'linkedom'],
    logLevel: 'error',
  });
  writeFileSync(join(dist, 'browser.d.mts'), "export * from './harness/browser.js';\n");
}

void write();
