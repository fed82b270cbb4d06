import { Option } from 'commander';
import type { BackendName } from '../../src/index';
import { exitCodes, type Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import * as options from './options';

interface Flags {
  readonly backend: BackendName;
  readonly cases: number;
  readonly seed: number;
  readonly constants?: true;
  readonly stride: number;
}

/** `rnn-parity sweep`: measures the judge itself. */
export const defineSweep: DefineCommand = (program, finish) => {
  const command = program
    .command('sweep')
    .description('measure the judge itself on one backend: false alarms and sensitivity (docs/tolerance.md)');
  options
    .addOptions(command, [
      new Option('--backend <name>', 'measured on').choices(options.backendNames).default('wasm'),
      options.option('--cases <n>', 'generated problems', options.whole(1), 1000),
      options.option('--seed <n>', 'of the problems', options.whole(1), 1),
      new Option('--constants', "measure the errors of the backend's tanh, exp and log instead"),
      options.option(
        '--stride <n>',
        'with --constants: every n-th single-precision number; 1 is exhaustive',
        options.whole(1),
        61,
      ),
    ])
    .action(async (flags: Flags) => finish(await sweep(flags)));
};

async function sweep({ backend: name, cases, seed, constants, stride }: Flags): Promise<Outcome> {
  const { loadBackend } = await import('../../src/index.js');
  const backend = await loadBackend(name);
  if (constants === true) {
    const { measureConstants } = await import('../trial/sweep/constants.js');
    const errors = measureConstants(backend, stride);
    return { exitCode: exitCodes.parity, text: JSON.stringify(errors, null, 2), json: errors };
  }
  const trial = await import('../trial/sweep/sweep.js');
  const { tfjsImplementation } = await import('../sides/index.js');
  const onProgress = (done: number): unknown => process.stderr.write(`${done} problems\n`);
  const result = await trial.sweep(tfjsImplementation(backend), { cases, seed, onProgress });
  const exitCode = result.falseAlarms.length === 0 ? exitCodes.parity : exitCodes.mismatch;
  return { exitCode, text: JSON.stringify(result, null, 2), json: result };
}
