import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.join(__dirname, '..', '..', '..');

describe('docs/graph.md', () => {
  it('trains digits with the script it shows, to 4 in 5 held-out digits right', function () {
    const [, script] = /```ts\n([^]*?)```/.exec(readFileSync(path.join(root, 'docs/graph.md'), 'utf8')) ?? [];
    // the program of build-program.cjs: jiti would transpile 700 modules
    const local = script
      .replace("'rnn-parity/harness'", JSON.stringify(path.join(root, 'dist-test/harness/index.js')))
      .replace("'rnn-parity'", JSON.stringify(path.join(root, 'dist-test/src/index.js')));
    const folder = mkdtempSync(path.join(root, 'test', 'tmp-graph-'));
    try {
      const file = path.join(folder, 'train-digits.mts');
      writeFileSync(file, local);
      const manifest = createRequire(__filename).resolve('jiti/package.json');
      const jiti = path.join(path.dirname(manifest), 'lib', 'jiti-cli.mjs');
      const printed = execFileSync(process.execPath, [jiti, file], { encoding: 'utf8' });
      const [, accuracy] = /accuracy (\S+)/.exec(printed) ?? [];
      expect(Number(accuracy), printed).to.be.above(0.8);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
