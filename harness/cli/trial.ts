import { InvalidArgumentError, Option, type Command } from 'commander';
import { type DefineCommand, argumentsOf } from './command';

export interface TrialFlags {
  readonly backends?: string;
  readonly only?: string;
  readonly seed: number;
  readonly shapes: number;
  readonly seeds: number;
  readonly break: number;
  readonly json?: string | true;
  readonly html?: string;
}

/** `rnn-parity trial` */
export const defineTrial: DefineCommand = (program, finish) => {
  program
    .command('trial')
    .description(
      'put the harness itself on trial: plant every known mistake and see whether it is caught and named',
    )
    .option(
      '--backends <list>',
      'tensorflow, wasm, cpu, graph, tensorflow:bptt, wasm:bptt, cpu:bptt: plant in these, in turn, and each must run (default: all there are)',
    )
    .option('--only <pattern>', 'only faults whose name contains this, or matches it with * and ?')
    .addOption(new Option('--seed <n>', 'of the problems').argParser(from(0)).default(1))
    .addOption(
      new Option('--shapes <n>', 'shapes that each fault is planted on').argParser(from(1)).default(5),
    )
    .addOption(new Option('--seeds <n>', 'problems of each shape').argParser(from(1)).default(3))
    .addOption(
      new Option('--break <percent>', 'fail when less than this share of the faults is caught')
        .argParser(percent)
        .default(100),
    )
    .option('--json [file]', 'the whole matrix as JSON, to a file or (without one, or with -) to stdout')
    .option('--html <file>', 'the matrix as one page, which opens offline')
    .addHelpText(
      'after',
      `
Each fault is a few lines in harness/faults/, and docs/bptt.md explains it; docs/trial.md says how to read the matrix. For each: how
often it was planted, how often it was caught (by results, step by step, by the weight probe, by asking again, by the updates of a
training check, by the referees), located, and whether the side and the kind of mistake were named right.
A file that exists is replaced only if it is an earlier report of the same kind.

Exit codes: 0 all is as it should be, 1 less than --break per cent caught, or anything was accused wrongly, 2 usage or harness error,
3 a backend of --backends did not run.

Examples:
  rnn-parity trial
  rnn-parity trial --only 'carry/*' --backends cpu
  rnn-parity trial --shapes 1 --seeds 1 --json trial.json --html trial.html
  rnn-parity parity --html parity.html --trial trial.json`,
    )
    .action(async (flags: TrialFlags, command: Command) => {
      const { runTrialCommand } = await import('./run-trial.js');
      finish(await runTrialCommand(flags, argumentsOf(command)));
    });
};

function from(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text.trim()) && value >= least && value <= 2 ** 31) return value;
    throw new InvalidArgumentError(`a whole number from ${least} was expected.`);
  };
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('a number from 0 to 100 was expected.');
}
