import { expect } from 'chai';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeNpz } from '../../../harness/base/files/index';
import { checkOutputs, outputOf, runFiles, say } from '../../../harness/cli/outputs';
import { program, runToEnd } from '../../support/program';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('files that a command is to write', () => {
  const base = temporaryDirectory();
  const at = (name: string): string => path.join(base(), name);
  const refusal = (...given: Parameters<typeof checkOutputs>): Promise<string> =>
    checkOutputs(...given).then(
      () => 'taken',
      (error: unknown) => String(error),
    );

  it('are all different, also through links and other spellings of a path', async () => {
    mkdirSync(at('folder'));
    symlinkSync(at('folder'), at('alias'));
    const outputs = [...outputOf('--json', at('folder/a')), ...outputOf('--html', at('alias/../alias/a'))];
    expect(await refusal(outputs)).to.match(/--html .* would replace a file that --json writes/);
    expect(await refusal([...outputOf('--json', at('a')), ...outputOf('--html', at('b'))])).to.equal('taken');
  });

  it('are none that the command reads or writes itself, and no file that is no JSON', async () => {
    mkdirSync(at('run'));
    writeFileSync(at('run/model.json'), '{}');
    const json = (name: string) => outputOf('--json', at(name));
    expect(await refusal(json('run/model.json'), runFiles(at('run')))).to.match(/uses itself/);
    expect(await refusal(json('run/weights.npz'), runFiles(at('run/model.json')))).to.match(/uses itself/);
    expect(await refusal(json('run/metrics.json'), runFiles(at('run')))).to.equal('taken');
    writeFileSync(at('notes.txt'), 'years of work');
    writeFileSync(at('old.json'), '\n[1]');
    // there is room for the name, and none for the longer one by which it is written
    expect(await refusal(json('x'.repeat(250)))).to.match(/xxx: the name is too long; shorten it/);
    expect(await refusal(json('notes.txt'))).to.match(/exists and holds no JSON; it is left alone/);
    expect(await refusal(json('old.json'))).to.equal('taken');
  });

  it('notes about files of others move no cursor', () => {
    const write = process.stderr.write.bind(process.stderr);
    let text = '';
    process.stderr.write = (part: string) => ((text += part), true);
    try {
      say('note: layer \u001b[2J\tis read');
    } finally {
      process.stderr.write = write;
    }
    expect(text).to.equal('note: layer \\u001b[2J\tis read\n');
  });

  it('numbers of flags are decimal, and a delimiter is not empty', async () => {
    writeFileSync(at('t.csv'), 'sequence,x,label\na,1,0\nb,2,1\n');
    const train = ['train', '--data', at('t.csv'), '--model', 'scratch', '--epochs', '1', '--units', '2'];
    for (const [flag, value, says] of [
      ['--learning-rate', '0x10', /argument '0x10' is invalid. a number was expected/],
      ['--units', '0b1', /argument '0b1' is invalid/],
      ['--delimiter', '', /--delimiter is empty; give a value, or leave it out/],
    ] as const) {
      const { exitCode, stderr } = await runCli([...train, '--out', at('numbers'), flag, value]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.match(says);
    }
    const { exitCode } = await runCli([...train, '--out', at('numbers'), '--learning-rate', ' +1.5e-3']);
    expect(exitCode).to.equal(0);
  });

  it('predictions are one line a sequence, whatever ids and classes hold; a part that was not kept back is refused', async () => {
    const line = (i: number) => ({
      inputs: [[i], [1]],
      id: `s\t${i}\n`.trim() + '\tx',
      label: i % 2 ? 'a\nb' : '\u001b[2Jc',
    });
    const data = at('odd.jsonl');
    writeFileSync(data, [0, 1, 2, 3].map((i) => JSON.stringify(line(i))).join('\n'));
    const small = ['--model', 'scratch', '--epochs', '1', '--units', '2', '--validation', '0'];
    const trained = await runCli(['train', '--data', data, ...small, '--out', at('odd')]);
    expect(trained.stdout).to.include('\\u001b[2Jc').and.not.include('\u001b');
    const { stdout } = await runCli(['predict', '--model', at('odd'), '--data', data]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((one) => one.split('\t').length)).to.deep.equal([3, 3, 3, 3]);
    expect(lines[0]).to.match(/^s\\t0\\tx\t(a\\nb|\\u001b\[2Jc)\t/);
    const part = await runCli(['evaluate', '--model', at('odd'), '--data', data, '--part', 'validation']);
    expect(part.exitCode).to.equal(2);
    expect(part.stderr).to.include('--part validation: nothing was kept back when the model was trained');
    const scaled = await runCli([
      'train',
      '--from',
      at('odd'),
      '--data',
      data,
      '--no-standardize',
      '--out',
      at('o'),
    ]);
    expect(scaled.exitCode).to.equal(2);
    expect(scaled.stderr).to.include('--no-standardize changes nothing');
    const other = await runCli(['train', '--resume', at('odd'), '--layers', 'lstm:2']);
    expect(other.stderr).to.include('--layers is lstm:2 but was not given');
  });

  it('train --json leaves the data and the model of the run alone', async () => {
    const rows = Array.from({ length: 24 }, (_, i) => `s${i >> 1},${i % 2},0.${i},${(i >> 1) % 2}`);
    const data = at('data.csv');
    const text = `sequence,step,x,label\n${rows.join('\n')}\n`;
    writeFileSync(data, text);
    const train = ['train', '--data', data, '--model', 'scratch', '--epochs', '1', '--units', '2'];
    for (const json of [data, at('out/model.json')]) {
      mkdirSync(at('out'), { recursive: true });
      const { exitCode, stderr } = await runCli([...train, '--out', at('out'), '--json', json]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include('would replace a file which this command uses itself');
    }
    expect(readFileSync(data, 'utf8')).to.equal(text);
    const weights = at('out/weights.npz');
    const { exitCode, stderr } = await runCli(['export', '--model', at('out'), '--out', weights, '--force']);
    expect(exitCode).to.equal(2);
    expect(stderr).to.include('would replace a file which this command uses itself');
  });

  it('are no folders, and a directory that is gone is said to be', async () => {
    expect(await refusal(outputOf('--json', `${at('new')}/`))).to.match(
      /new\/ is a directory; name a file in it/,
    );
    const gone = at('gone');
    mkdirSync(gone);
    const { code, err } = runToEnd('bash', [
      '-c',
      `cd "$1" && rmdir "$1" && exec "$2" "$3" equations ./a.ts`,
      ...['bash', gone, process.execPath, program],
    ]);
    expect(code).to.equal(2);
    expect(err).to.match(/error: the current directory does not exist any more; change to one that does/);
  });

  it('train and import replace no file that they read, with --force either', async () => {
    mkdirSync(at('run'));
    const file = at('run/weights.npz');
    const numbers = (...shape: number[]) => ({
      shape,
      data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
    });
    const lines = {
      train: [{ inputs: numbers(4, 2, 1), labels: { shape: [4], data: [0, 1, 0, 1] } }, '--data'],
      import: [
        {
          'rnn.W_x': numbers(2, 3),
          'rnn.W_h': numbers(3, 3),
          'rnn.b': numbers(3),
          'fc.W': numbers(3, 2),
          'fc.b': numbers(2),
        },
        '--from',
      ],
    } as const;
    for (const [command, [arrays, flag]] of Object.entries(lines)) {
      await writeNpz(file, arrays);
      const before = readFileSync(file);
      const small = command === 'train' ? ['--model', 'scratch', '--units', '2', '--epochs', '1'] : [];
      const line = [command, flag, file, '--out', at('run'), '--force', ...small];
      const { exitCode, stderr } = await runCli(line);
      expect(stderr).to.include(`would replace ${flag} ${file}`);
      expect(exitCode).to.equal(2);
      expect(readFileSync(file).equals(before)).to.equal(true);
      if (command !== 'import') continue;
      const over = await runCli(['export', '--model', file, '--out', file, '--force']);
      expect(over.stderr).to.include('would replace a file which this command uses itself');
      expect(readFileSync(file).equals(before)).to.equal(true);
    }
  });
});
