import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../support/run-cli';

const folder = mkdtempSync(join(tmpdir(), 'data-flags-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

interface Predictions {
  readonly predictions: readonly { readonly id: string; readonly probabilities: readonly number[] }[];
}

async function predict(model: string, data: string, ...flags: string[]): Promise<Predictions['predictions']> {
  const { stdout } = await runCli(['predict', '--model', model, '--data', data, '--json', ...flags]);
  return (JSON.parse(stdout) as Predictions).predictions;
}

async function message(...args: string[]): Promise<string> {
  const { exitCode, stderr } = await runCli(args);
  expect(exitCode).to.equal(2);
  return stderr;
}

const model = join(folder, 'model');
/** A table as a European spreadsheet saves it, under column names of its own. */
const table = (label: string, decimal = ','): Buffer =>
  Buffer.from(
    [
      `Prüfling;Zeit;a;b;${label}`,
      ...Array.from({ length: 12 }, (_, i) =>
        [`Mü${i}`, 0, `${i}${decimal}5`, i % 2, i % 2 === 0 ? 'groß' : 'klein'].join(';'),
      ),
    ].join('\r\n'),
    'latin1',
  );

describe('column flags of train, predict and evaluate', () => {
  before(async () => {
    const columns = ['--sequence-column', 'Prüfling', '--step-column', 'Zeit', '--label-column', 'Art'];
    const format = ['--delimiter', ';', '--decimal', ',', '--encoding', 'windows-1252'];
    const net = ['--model', 'scratch', '--units', '3', '--epochs', '1', '--out', model];
    const { exitCode, stderr } = await runCli([
      'train',
      '--data',
      file('train.csv', table('Art')),
      ...columns,
      ...format,
      ...net,
    ]);
    expect(exitCode, stderr).to.equal(0);
  });

  it('are remembered with the model: delimiter, decimal sign and encoding too', async () => {
    const { settings } = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as {
      settings: { data: object };
    };
    expect(settings.data).to.include({ delimiter: ';', decimal: ',', encoding: 'windows-1252' });
    const found = await predict(model, file('new.csv', table('Art')));
    expect(found).to.have.length(2); // of the same data: the validation part
    expect(found[0].id).to.match(/^Mü\d+$/);
    expect(await predict(join(model, 'model.json'), join(folder, 'new.csv'))).to.eql(found);
    const { exitCode, stdout } = await runCli([
      'evaluate',
      '--model',
      model,
      '--data',
      join(folder, 'new.csv'),
    ]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/klein/);
  });

  it('override what is remembered one by one', async () => {
    const expected = await predict(model, file('new.csv', table('Art')));
    expect(await predict(model, file('kind.csv', table('Kind')), '--label-column', 'Kind')).to.eql(expected);
    expect(await predict(model, file('point.csv', table('Art', '.')), '--decimal', '.')).to.eql(expected);
    const utf8 = file('utf8.csv', Buffer.from(table('Art').toString('latin1')));
    expect(await predict(model, utf8, '--encoding', 'utf-8')).to.eql(expected);
    expect(
      await message('predict', '--model', model, '--data', join(folder, 'kind.csv'), '--step-column', 'x'),
    ).to.match(/no column "x"/);
  });

  it('of the delimiter hold for files of the same kind, and features are found by name', async () => {
    const expected = await predict(model, join(folder, 'new.csv'));
    const rows = table('Art', '.').toString('latin1').replaceAll(';', '\t').split('\r\n');
    const swapped = rows.map((row, i) => {
      const [id, step, a, b, label] = row.split('\t');
      return [i === 0 ? '' : i, label, b, a, step, id].join('\t');
    });
    expect(await predict(model, file('new.tsv', swapped.join('\n')))).to.eql(expected);
  });

  it('are asked for again, with a word, when config.json is damaged; a pipe is refused', async () => {
    const copy = join(folder, 'copy');
    execFileSync('cp', ['-r', model, copy]);
    writeFileSync(join(copy, 'config.json'), '{"settings": nul');
    expect(await message('predict', '--model', copy, '--data', join(folder, 'new.csv'))).to.match(
      /not UTF-8/,
    );
    rmSync(join(copy, 'config.json'));
    execFileSync('mkfifo', [join(copy, 'config.json')]);
    expect(await message('predict', '--model', copy, '--data', join(folder, 'new.csv'))).to.match(
      /named pipe/,
    );
  });

  it('refuse data that are no regular file at once', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.csv')]);
    for (const [data, reason] of [
      [join(folder, 'pipe.csv'), /pipe\.csv is a named pipe; a regular file was expected/],
      [join(folder, 'no.csv'), /does not exist/],
      [join(folder, 'x.xlsx'), /CSV UTF-8/],
    ] as const)
      expect(await message('train', '--data', data, '--out', join(folder, 'none'))).to.match(reason);
  });
});
