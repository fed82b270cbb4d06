import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { createJiti } from 'jiti';

describe('docs/tfjs-twin.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rnn-parity-streaming-'));
  after(() => rmSync(directory, { recursive: true }));

  it('reads a stream piece by piece as it reads the whole: the example runs as it stands', async () => {
    const blocks = [...readFileSync('docs/tfjs-twin.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)];
    const code = blocks.map(([, block]) => block).find((block) => block.includes('const stream')) ?? '';
    const file = join(directory, 'stream.ts');
    const lines = 'export const lines: number[] = [];\n';
    writeFileSync(file, lines + code.replaceAll('console.log(', 'lines.push('));
    const alias = { 'rnn-parity': resolve('dist-test/src/index.js') };
    const printed = (await createJiti(__filename, { alias }).import<{ lines: number[] }>(file)).lines;
    expect(printed).to.have.length(6);
    expect(printed[5]).to.be.closeTo(printed[4], 1e-6);
    // the states matter: one step alone gives something else
    expect(Math.abs(printed[4] - printed[0])).to.be.above(1e-3);
  });
});
