import path from 'node:path';
import { expect } from 'chai';
import { program, runToEnd, type Ended } from '../../support/program';

const root = path.join(__dirname, '..', '..', '..');

/** A shell line, `rp` being this program; the exit code is that of `rp`. */
function shell(line: string): Ended {
  const script = `rp() { "$NODE" "$PROGRAM" "$@"; }; ${line}; exit "\${PIPESTATUS[0]}"`;
  return runToEnd('bash', ['-c', script], {
    env: { ...process.env, NODE: process.execPath, PROGRAM: program },
  });
}

describe('stdout that cannot be written', () => {
  const vectors = path.join(root, 'test', 'harness', 'cli', 'none.json');
  // help, a result that is there at once, and one after a run: they are printed at three places
  const commands = ['parity --help', 'equations lstm', 'parity --backends cpu --only edge/one-step'];
  for (const command of commands)
    it(`${command}: a reader that goes early is no error, a full disk is`, () => {
      const closed = shell(`rp ${command} | true`);
      expect(closed).to.deep.include({ code: 0 });
      expect(closed.err).to.not.match(/EPIPE|    at /);
      const full = shell(`rp ${command} > /dev/full`);
      expect(full.code).to.equal(2);
      expect(full.err).to.include('error: the result cannot be written to stdout: ENOSPC');
      expect(full.err).to.not.include('    at ');
    });

  it('the exit code of a failure is kept, and a closed stderr changes nothing', () => {
    expect(shell(`rp parity --vectors ${vectors} 2>&1 | true`).code).to.equal(2);
    expect(shell(`rp --help 2>/dev/full`).code).to.equal(0);
    expect(shell(`rp parity --vectors ${vectors} 2>/dev/full`).code).to.equal(2);
  });
});
