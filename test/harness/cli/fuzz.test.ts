import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runInOneProgram, runProgram, type Ended } from '../../support/program';

describe('rnn-parity fuzz, replay and merge as commands', () => {
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), 'rnn-parity-fuzz-command-'))));
  after(() => rmSync(directory, { recursive: true }));

  const run = (...lines: readonly (readonly string[])[]): readonly Ended[] =>
    runInOneProgram(lines, { cwd: directory }).ended;

  it('the commands that docs/fuzz.md begins with run as they stand, and a missing shard is exit code 2', () => {
    const [, block] = /```sh\n([\s\S]*?)```/.exec(readFileSync('docs/fuzz.md', 'utf8')) ?? [];
    const commands = block
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(commands.map(([program, name]) => `${program} ${name}`)).to.deep.equal([
      'rnn-parity fuzz',
      'rnn-parity fuzz',
      'rnn-parity merge',
    ]);
    const results = run(...commands.map(([, ...args]) => args), ['merge', 'shard-2.json']);
    expect(results.map(({ code }) => code)).to.deep.equal([0, 0, 0, 2]);
    expect(results[2].out).to.match(/all 2 shards: 6 generated problems[\s\S]*\nPARITY: tfjs:cpu right in/);
    expect(results[3].err).to.contain('missing: 1');
  });

  it('a wrong candidate is exit code 1, its case replays identically, and not without naming the module', () => {
    // h_t = tanh(x_t kernel + bias): the recurrent part is forgotten
    writeFileSync(
      join(directory, 'forgetful.js'),
      `exports.candidate = { name: 'forgetful', precision: 'float64', omits: ['logits', 'loss', 'gradients'], masks: false,
        evaluate({ inputs, weights: { kernel, bias } }) {
          const dot = (x, u) => x.reduce((s, v, f) => s + v * kernel[f][u], 0);
          const states = inputs.map((rows) => rows.map((x) => bias.map((b, u) => Math.tanh(b + dot(x, u)))));
          return { states, finalState: states.map((rows) => rows[rows.length - 1]) };
        } };`,
    );
    const fuzzed = runProgram(
      'fuzz --cases 2 --shrink 2s --candidate ./forgetful.js --out cases --json -'.split(' '),
      {
        cwd: directory,
      },
    );
    expect(fuzzed.code).to.equal(1);
    const summary = JSON.parse(fuzzed.out) as {
      sides: { failures: { file: string; tensor: string }[] }[];
    };
    const [{ file, tensor }] = summary.sides[0].failures;
    expect(tensor).to.equal('states');
    const [replayed, unnamed, onOther] = run(
      ['replay', file, '--candidate', './forgetful.js'],
      ['replay', file],
      ['replay', file, '--backends', 'cpu'],
    );
    expect(replayed.code).to.equal(1);
    expect(replayed.out).to.contain('the verdict is identical to the one in the file');
    expect(unnamed.code).to.equal(2);
    expect(unnamed.err).to.contain('--candidate ./forgetful.js');
    expect(onOther.code).to.equal(0);
  });

  it('a shard without a problem and a malformed division are usage errors', () => {
    const [empty, malformed] = run(
      ['fuzz', '--cases', '2', '--shard', '3/3', '--backends', 'cpu'],
      ['fuzz', '--shard', '4/3'],
    );
    expect(empty.code).to.equal(2);
    expect(empty.err).to.contain('holds none of 2 problems');
    expect(malformed.code).to.equal(2);
  });
});
