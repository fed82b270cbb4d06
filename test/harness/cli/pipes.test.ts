import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { temporaryDirectory } from '../../support/temporary-directory';

const cli = [
  require.resolve('jiti').replace(/lib.*$/, 'lib/jiti-cli.mjs'),
  join(__dirname, '../../../harness/cli/bin.ts'),
];

describe('a named pipe without a writer, where a file is expected', () => {
  const directory = temporaryDirectory();
  const commands: readonly (readonly string[])[] = [
    ['parity', '--vectors', 'PIPE.json'],
    ['parity', '--vectors', 'PIPE.npz'],
    ['parity', '--check-report', 'PIPE'],
    ['parity', '--backends', 'cpu', '--only', 'edge/one*', '--html', 'page.html', '--trial', 'PIPE'],
    ['replay', 'PIPE'],
    ['merge', 'PIPE', 'PIPE'],
    ['bench', '--from', 'PIPE'],
    ['train', '--data', 'PIPE.csv', '--out', 'run'],
    ['import', '--from', 'PIPE.npz', '--out', 'model'],
  ];
  for (const command of commands) {
    it(`${command.join(' ')}: refused at once, exit code 2`, () => {
      const folder = directory();
      const args = command.map((word) => word.replace(/^PIPE/, join(folder, 'pipe')));
      const pipe = args.find((word) => word.includes('pipe'))!;
      execFileSync('mkfifo', [pipe]);
      const { status, signal, stderr } = spawnSync(process.execPath, [...cli, ...args], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 120_000,
      });
      expect({ status, signal }, stderr).to.deep.equal({ status: 2, signal: null });
      expect(stderr).to.match(/a regular file was expected/);
    });
  }
});
