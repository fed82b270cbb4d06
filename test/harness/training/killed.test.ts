import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from '../../../harness/training/index';
import { createRandom } from '../../../scratch/index';
import { program } from '../../support/program';

const folder = mkdtempSync(join(tmpdir(), 'killed-'));
after(() => rmSync(folder, { recursive: true }));

/** Enough steps for some seconds, a checkpoint after every batch. */
const settings = {
  model: 'scratch',
  units: 8,
  epochs: 40,
  seed: 3,
  data: { source: 'memory', timeSteps: 12, examples: 320 },
} as const;
const flags =
  '--model scratch --units 8 --epochs 40 --seed 3 --data memory --time-steps 12 --examples 320 --checkpoint-seconds 0';
/** How often it is killed; more of them than a test run has patience for: RNN_PARITY_KILLS=20. */
const kills = Number(process.env.RNN_PARITY_KILLS ?? 3);

/** Runs the command line and sends the signal after that time; resolves to the exit code, or the signal that ended it. */
function run(
  args: readonly string[],
  signal?: NodeJS.Signals,
  afterMs = 0,
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, 'train', ...args]);
    let stdout = '';
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
      // The clock starts when training does.
      if (signal !== undefined && timer === undefined && stderr.includes('values'))
        timer = setTimeout(() => child.kill(signal), afterMs);
    });
    child.on('close', (code, by) => {
      clearTimeout(timer);
      resolve({ code: code ?? by ?? '', stdout, stderr });
    });
  });
}

describe('a run that is killed', () => {
  let whole: Buffer;
  before(async () => {
    const out = join(folder, 'whole');
    (await train(settings, { out })).dispose();
    whole = readFileSync(join(out, 'weights.npz'));
  });

  it('by SIGKILL at random moments, goes on from its last checkpoint to the same weights', async function () {
    this.timeout(Math.max(this.timeout(), 30_000 * (kills + 1)));
    const out = join(folder, 'sigkill');
    const random = createRandom(Number(process.env.RNN_PARITY_SEED ?? 1));
    let killed = 0;
    for (let i = 0; i < kills; i++) {
      const args = existsSync(join(out, 'checkpoint.npz'))
        ? ['--resume', out, '--checkpoint-seconds', '0']
        : [...flags.split(' '), '--out', out, '--force'];
      const { code, stderr } = await run(args, 'SIGKILL', random.integer(1200));
      if (code === 'SIGKILL') killed++;
      else expect(code, stderr).to.equal(0);
    }
    expect(killed).to.be.greaterThan(0);
    const resume = existsSync(join(out, 'checkpoint.npz'))
      ? ['--resume', out]
      : [...flags.split(' '), '--out', out, '--force'];
    const { code, stderr } = await run(resume);
    expect(code, stderr).to.equal(0);
    expect(readFileSync(join(out, 'weights.npz')).equals(whole)).to.equal(true);
    expect(readFileSync(join(out, 'history.jsonl'), 'utf8').trim().split('\n')).to.have.length(40);
  });

  it('by Ctrl-C, finishes its batch, says how to resume, and exits with 130', async function () {
    const out = join(folder, 'sigint');
    const stopped = await run([...flags.split(' '), '--out', out], 'SIGINT', 300);
    expect(stopped.code, stopped.stderr).to.equal(130);
    expect(stopped.stdout).to.contain(`rnn-parity train --resume ${out}`);
    expect(existsSync(join(out, 'model.json'))).to.equal(false);
    const resumed = await run(['--resume', out]);
    expect(resumed.code, resumed.stderr).to.equal(0);
    expect(readFileSync(join(out, 'weights.npz')).equals(whole)).to.equal(true);
  });
});
