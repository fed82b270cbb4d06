import type { DefineCommand } from './command';
import { exitCodes, UsageError } from '../base/outcome';

interface Flags {
  readonly backend: string;
  readonly cases: string;
  readonly seed: string;
  readonly constants?: true;
  readonly stride: string;
}

/** `rnn-parity sweep`: measures the judge itself. */
export const defineSweep: DefineCommand = (program, finish) => {
  program
    .command('sweep')
    .description('measure the judge itself on one backend: false alarms and sensitivity (docs/tolerance.md)')
    .option('--backend <name>', 'tensorflow, wasm or cpu', 'wasm')
    .option('--cases <n>', 'generated problems', '1000')
    .option('--seed <n>', 'of the problems', '1')
    .option('--constants', "measure the errors of the backend's tanh, exp and log instead")
    .option('--stride <n>', 'with --constants: every n-th single-precision number; 1 is exhaustive', '61')
    .action(async (flags: Flags) => {
      const { backendNames, loadBackend } = await import('../../src/index.js');
      const name = backendNames.find((known) => known === flags.backend);
      if (name === undefined)
        throw new UsageError(
          `--backend ${flags.backend}: there are ${backendNames.join(', ')}; take one of those.`,
        );
      const backend = await loadBackend(name);
      if (flags.constants === true) {
        const { measureConstants } = await import('../trial/sweep/constants.js');
        const errors = measureConstants(backend, whole(flags.stride, '--stride'));
        finish({ exitCode: exitCodes.parity, text: JSON.stringify(errors, null, 2), json: errors });
        return;
      }
      const { sweep } = await import('../trial/sweep/sweep.js');
      const { tfjsImplementation } = await import('../sides/index.js');
      const result = await sweep(tfjsImplementation(backend), {
        cases: whole(flags.cases, '--cases'),
        seed: whole(flags.seed, '--seed'),
        onProgress: (done) => process.stderr.write(`${done} problems\n`),
      });
      const exitCode = result.falseAlarms.length === 0 ? exitCodes.parity : exitCodes.mismatch;
      finish({ exitCode, text: JSON.stringify(result, null, 2), json: result });
    });
};

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`${flag} ${text}: it must be a whole number of at least 1.`);
  return value;
}
