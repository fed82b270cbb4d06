import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { runInOneProgram } from '../../support/program';
import { temporaryDirectory } from '../../support/temporary-directory';

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
  it('every command refuses it at once, with exit code 2', () => {
    const folder = directory();
    for (const suffix of ['', '.json', '.npz', '.csv'])
      execFileSync('mkfifo', [join(folder, `pipe${suffix}`)]);
    const lines = commands.map((command) =>
      command.map((word) => word.replace(/^PIPE/, join(folder, 'pipe'))),
    );
    // a process of its own, which is ended where it hangs
    const { ended, err } = runInOneProgram(lines, { cwd: folder, timeout: 120_000 });
    commands.forEach((command, i) => {
      expect(ended.at(i)?.code, `${command.join(' ')} ${err}`).to.equal(2);
      expect(ended[i].err, command.join(' ')).to.match(/a regular file was expected/);
    });
  });
});
