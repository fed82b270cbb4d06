import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { runProgram } from '../../support/program';
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
  for (const command of commands) {
    it(`${command.join(' ')}: refused at once, exit code 2`, () => {
      const folder = directory();
      const args = command.map((word) => word.replace(/^PIPE/, join(folder, 'pipe')));
      const pipe = args.find((word) => word.includes('pipe'))!;
      execFileSync('mkfifo', [pipe]);
      const { code, err } = runProgram(args, { cwd: folder, timeout: 120_000 });
      expect(code, err).to.equal(2); // null where it hangs until the time is over
      expect(err).to.match(/a regular file was expected/);
    });
  }
});
