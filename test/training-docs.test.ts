import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { createJiti } from 'jiti';

// the program of build-program.cjs: jiti would transpile 700 modules
const alias = { 'rnn-parity/harness': resolve('dist-test/harness/index.js') };

describe('docs/training.md', () => {
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), 'rnn-parity-training-'))));
  after(() => rmSync(directory, { recursive: true }));

  /** Runs a block as it stands, but for the directory it writes to, and takes out what it prints. */
  async function printed(code: string, name: string): Promise<string[]> {
    const file = join(directory, `${name}.ts`);
    const own = code
      .replaceAll("'my-run'", JSON.stringify(join(directory, 'my-run')))
      .replaceAll('console.log(', 'lines.push(');
    writeFileSync(file, `export const lines: string[] = [];\n${own}`);
    return (await createJiti(__filename, { alias }).import<{ lines: string[] }>(file)).lines;
  }

  it('has examples from code that run, and print what they say', async () => {
    const blocks = [...readFileSync('docs/training.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)];
    const lines = await Promise.all(blocks.map(([, code], i) => printed(code, `example-${i}`)));
    expect(lines[0]).to.have.length(1);
    expect(lines[0][0]).to.match(/^[0-9]$/);
    const claimed = /\/\/ (scratch: [^.]*\.\d+ ms) there/.exec(blocks[1][1])?.[1] ?? 'nothing';
    expect(lines[1][0]).to.contain(claimed);
  });
});
