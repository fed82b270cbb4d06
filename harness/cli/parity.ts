import { InvalidArgumentError, Option, type Command } from 'commander';
import { type DefineCommand, argumentsOf } from './command';

interface Flags {
  readonly backends?: string;
  readonly only?: string;
  readonly seed: number;
  readonly cases?: number;
  readonly vectors?: string[];
  readonly candidate?: string;
  readonly atol?: number;
  readonly rtol?: number;
  readonly timeout: number;
  readonly json?: string | true;
  readonly junit?: string;
  readonly html?: string;
  readonly trial?: string;
  readonly checkReport?: string;
}

/** `rnn-parity parity` */
export const defineParity: DefineCommand = (program, finish) => {
  program
    .command('parity')
    .description('compare the scratch network with its TensorFlow.js twin, or with your own implementation')
    .option(
      '--backends <list>',
      'tensorflow, wasm, cpu, graph, tensorflow:bptt, wasm:bptt, cpu:bptt (hand-written gradients): only these, and each must run (default: all there are)',
    )
    .option('--only <pattern>', 'only cases whose id contains this, or matches it with * and ?')
    .addOption(new Option('--seed <n>', 'of everything that is drawn').argParser(wholeNumber).default(1))
    .addOption(new Option('--cases <n>', 'how many generated problems (default: 200)').argParser(wholeNumber))
    .option(
      '--vectors <files...>',
      'check every implementation against these numbers (.json, .npz), not the suite',
    )
    .option(
      '--candidate <module>',
      'put your own implementation (TypeScript, JavaScript) in place of the twin',
    )
    .addOption(
      new Option('--atol <x>', 'absolute tolerance, in place of the derived one').argParser(tolerance),
    )
    .addOption(
      new Option('--rtol <x>', 'relative tolerance, in place of the derived one').argParser(tolerance),
    )
    .addOption(
      new Option('--timeout <seconds>', 'for a candidate, per problem').argParser(seconds).default(30),
    )
    .option('--json [file]', 'the whole report as JSON, to a file or (without one, or with -) to stdout')
    .option('--junit <file>', 'the report as JUnit XML, as CI servers read it')
    .option('--html <file>', 'the report as one page with charts, which opens offline')
    .option(
      '--trial <file>',
      'with --html: show this trial (of `rnn-parity trial --json`) on the page as well',
    )
    .option('--check-report <file>', 'audit a report made by --json: is everything planned accounted for?')
    .addHelpText(
      'after',
      `
Exit codes: 0 parity, 1 mismatch, 2 usage or harness error, 3 a required backend did not run.
NATIVE_REQUIRED=1 makes tensorflow, graph and tensorflow:bptt required.
A file that exists is replaced only if it is an earlier report of the same kind.

Examples:
  rnn-parity parity --backends wasm,cpu
  rnn-parity parity --only 'edge/*' --json report.json
  rnn-parity parity --junit parity.xml --html parity.html --trial trial.json
  rnn-parity parity --vectors torch.npz keras.json
  rnn-parity parity --candidate ./my-rnn.ts`,
    )
    .action(async (flags: Flags, command: Command) => {
      const { runParityCommand } = await import('./run-parity.js');
      finish(await runParityCommand(flags, argumentsOf(command)));
    });
};

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value <= 2 ** 31) return value;
  throw new InvalidArgumentError('a whole number from 0 to 2147483648 was expected.');
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('a number of 0 or more was expected.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('a number of seconds above 0 was expected.');
}

export type { Flags as ParityFlags };
