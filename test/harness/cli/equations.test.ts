import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { describeCell, gru } from '../../../harness/equations/index';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

const run = (...args: string[]) => runCli(args);

describe('rnn-parity equations', () => {
  const directory = temporaryDirectory();
  let written = 0; // a module is loaded once, so that every text gets a file of its own
  const write = (text: string): string => {
    const file = path.join(directory(), `my-cell-${written++}.ts`);
    fs.writeFileSync(file, text);
    return file;
  };
  const formulas =
    "{ name: 'leaky', carries: ['h'], weights: { W: 'F, U', leak: 'U' }, equations: 'h_t = leak ∘ h_(t-1) + tanh(x_t · W)' }";

  it('prints a cell of the library by its name', async () => {
    expect(await run('equations', 'gru')).to.deep.equal({
      exitCode: 0,
      stdout: `${describeCell(gru())}\n`,
      stderr: '',
    });
  });

  for (const [how, text] of Object.entries({
    'made by defineCell': `import { defineCell } from 'rnn-parity/harness';\nexport const cell = defineCell(${formulas});\n`,
    'as plain formulas': `export const cell = ${formulas};\n`,
  }))
    it(`prints a user's own cell, ${how}`, async () => {
      const { exitCode, stdout, stderr } = await run('equations', write(text));
      expect([exitCode, stderr]).to.deep.equal([0, '']);
      expect(stdout)
        .to.match(/^ {2}dz_t = dh_t ∘ tanh′\[tanh\(z_t\)\]$/m)
        .and.match(/^ {2}dleak \+= Σ_t \(dh_t ∘ h_\(t-1\)\)$/m);
    });

  it('reads a module that prints or exits: stdout is the result alone, and the exit code is an error', async () => {
    const noisy = write(
      `console.log('hello');\nprocess.stdout.write('there');\nexport const cell = ${formulas};\n`,
    );
    const spoken: string[] = [];
    const toStderr = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text: string) => spoken.push(text) > 0;
    try {
      const { exitCode, stdout } = await run('equations', noisy);
      expect([exitCode, stdout.slice(0, 5)]).to.deep.equal([0, 'leaky']);
    } finally {
      process.stderr.write = toStderr;
    }
    expect(spoken.join('')).to.match(/hello\n.*there/s);
    const ends = await run('equations', write('process.exit(0);\n'));
    expect([ends.exitCode, ends.stdout]).to.deep.equal([2, '']);
    expect(ends.stderr).to.match(/cannot be loaded: it ends the process with exit code 0/);
  });

  it('says what is wrong in one line or at the place, with exit code 2', async () => {
    const names = await run('equations', 'lstmm');
    expect([names.exitCode, names.stdout]).to.deep.equal([2, '']);
    expect(names.stderr).to.match(
      /^error: there is no cell lstmm, and no file of that name; cells are simple-rnn, lstm, gru/,
    );
    expect((await runCli(['equations', __dirname])).stderr).to.match(
      / is a directory; a regular file was expected/,
    );
    const wrong = await run(
      'equations',
      write(`export const cell = ${formulas.replace('x_t · W', 'x_t · V')};\n`),
    );
    expect([wrong.exitCode, wrong.stdout]).to.deep.equal([2, '']);
    expect(wrong.stderr).to.match(
      /^error: leaky, line 1, column 35: there is no weight V; known are W, leak/,
    );
    expect(wrong.stderr.split('\n')[2]).to.equal(`${' '.repeat(38)}^`);
    const nothing = await run('equations', write('export const cell = null;\n'));
    expect(nothing.stderr).to.match(/^error: .*exports no `cell`/);
    const none = await run('equations', write('export const other = 1;\n'));
    expect(none.stderr).to.match(/^error: .*exports no `cell`; write: export const cell = defineCell/);
    const broken = await run('equations', write('export const cell = nothing;\n'));
    expect(broken.stderr).to.match(/^error: .*my-cell-\d\.ts cannot be loaded: nothing is not defined/);
    expect(broken.exitCode).to.equal(2);
  });
});
