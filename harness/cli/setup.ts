import type { DefineCommand } from './command';
import { exitCodes, type Outcome } from '../base/outcome';

/** `rnn-parity setup` */
export const defineSetup: DefineCommand = (program, finish) => {
  program
    .command('setup')
    .description('set up the native backend: use, link or build the addon of tfjs-node')
    .option('--require', 'exit with code 3 if it cannot be had (also: NATIVE_REQUIRED=1)')
    .option('--clean', 'remove everything that set-up has put into your cache')
    .option('--json', 'print the result as JSON')
    .action(async (options: { require?: true; clean?: true; json?: true }) => {
      const { clean, setUp } = await import('./native/set-up.js');
      finish(print(options.clean ? clean() : await setUp(options.require === true), options));
    });
};

/** `rnn-parity doctor` */
export const defineDoctor: DefineCommand = (program, finish) => {
  program
    .command('doctor')
    .description('show what is there: Node, CPU, backends, why one does not load, the cache')
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }) => {
      const { describe, examine } = await import('./native/doctor.js');
      const examination = await examine();
      finish(print({ exitCode: exitCodes.parity, text: describe(examination), json: examination }, options));
    });
};

function print(outcome: Outcome, { json }: { json?: true }): Outcome {
  return json ? { ...outcome, text: JSON.stringify(outcome.json, null, 2) } : outcome;
}
