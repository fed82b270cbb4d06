import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { createJiti } from 'jiti';
import { defineCell, describeCell, type CellText } from '../harness/equations/index';
import { parseVectors, runParity } from '../harness/index';
import { runCli } from './support/run-cli';

/** The README's TypeScript blocks, in order. */
const examples = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code,
);
// the program of build-program.cjs: jiti would transpile 700 modules
const alias = {
  'rnn-parity/scratch': resolve('dist-test/scratch/index.js'),
  'rnn-parity/harness': resolve('dist-test/harness/index.js'),
  'rnn-parity/chai': resolve('dist-test/harness/check/chai-plugin.js'),
  'rnn-parity': resolve('dist-test/src/index.js'),
};

describe('README', () => {
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), 'rnn-parity-readme-'))));
  after(() => rmSync(directory, { recursive: true }));

  it('the library example runs, and both sides agree on the loss', async () => {
    const library = examples.find((code) => code.includes('byHand')) ?? '';
    expect(library).to.contain('TfSimpleRNNClassifier');
    const file = join(directory, 'library.ts');
    writeFileSync(
      file,
      library.replace(
        /^(await .*)$/m,
        'export const losses = [byHand, twin].map((model) => model.loss(inputs, [1]));\n$1',
      ),
    );
    const { losses } = await createJiti(__filename, { alias }).import<{ losses: [number, number] }>(file);
    expect(losses[0]).to.be.within(0.1, 10);
    expect(losses[1]).to.be.closeTo(losses[0], 1e-6);
  });

  it('the candidate example has at most 15 lines, passes the suite, and a planted fault in it does not', async () => {
    const example = examples.find((code) => code.includes('defineCandidate')) ?? '';
    expect(example.trim().split('\n').length).to.be.within(5, 15);
    const run = async (only: string, name: string, code: string): Promise<number> => {
      const file = join(directory, name);
      writeFileSync(file, code);
      return (await runCli(['parity', '--only', only, '--candidate', file])).exitCode;
    };
    expect(await run('edge/*', 'right.ts', example)).to.equal(0);
    const wrong = example.replace('Math.tanh(c + ', 'Math.tanh(1e-9 + c + ');
    expect(await run('edge/one-*', 'wrong.ts', wrong)).to.equal(1);
  });

  it('the example for one’s own tests passes, and fails with the verdict for a candidate with a fault', async () => {
    const candidate = examples.find((code) => code.includes('defineCandidate')) ?? '';
    const own = examples.filter((code) => code.includes("from './my-rnn'"));
    expect(own.length).to.equal(1);
    const messages = async (folder: string, code: string): Promise<string[]> => {
      const place = mkdtempSync(join(directory, folder));
      writeFileSync(join(place, 'my-rnn.ts'), code);
      const jiti = createJiti(__filename, { alias: { ...alias, chai: require.resolve('chai') } });
      return Promise.all(
        own.map(async (text, i) => {
          const file = join(place, `${i}.ts`);
          const define =
            'export let run: () => Promise<unknown>;\nconst it = (_: string, f: typeof run) => (run = f);\n';
          writeFileSync(file, text.replace(/\n(use|it)\(/, `\n${define}$1(`));
          const { run } = await jiti.import<{ run: () => Promise<unknown> }>(file);
          return run().then(
            () => 'passed',
            (error: unknown) => (error as Error).message,
          );
        }),
      );
    };
    expect(await messages('right-', candidate)).to.deep.equal(['passed']);
    for (const message of await messages(
      'wrong-',
      candidate.replace('Math.tanh(c + ', 'Math.tanh(1e-9 + c + '),
    ))
      expect(message).to.match(/^MISMATCH: my-rnn/);
  });

  it('the formulas of a cell can be read, and name their place where they cannot', () => {
    const [, text] = /export const cell = (\{[\s\S]*?\});/.exec(examples.join('\n')) ?? [];
    const read = (code: string): CellText => runInNewContext(`(${code})`) as CellText;
    expect(describeCell(defineCell(read(text)))).to.match(/^minimal gated unit: \d+ equations, 3 weights/);
    const wrong = text.replace('∘ n_t', '∘ m_t');
    expect(() => defineCell(read(wrong))).to.throw(/line 4, column \d+: m_t is not known yet/);
  });

  it('the vectors file of docs/parity.md is accepted and right, and wrong with another number in it', async () => {
    const [, text] = /```json\n([\s\S]*?)```/.exec(readFileSync('docs/parity.md', 'utf8')) ?? [];
    const exitCode = async (content: string): Promise<number> => {
      const vectors = parseVectors(content, 'docs/parity.md');
      return (await runParity({ vectors, backends: ['cpu'] })).exitCode;
    };
    expect(await exitCode(text)).to.equal(0);
    expect(await exitCode(text.replace('[[0.5, 0.5]]', '[[0.5, 0.500001]]'))).to.equal(1);
  });
});
