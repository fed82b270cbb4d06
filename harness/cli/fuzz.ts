import { InvalidArgumentError, Option } from 'commander';
import type { DefineCommand } from './command';
import type { Shard } from '../fuzz/series';

export interface FuzzFlags {
  readonly time?: number;
  readonly cases?: number;
  readonly shard: Shard;
  readonly seed: number;
  readonly backends?: string;
  readonly candidate?: string;
  readonly timeout: number;
  readonly shrink: number;
  readonly out: string;
  readonly json?: string | true;
}

const backendsText =
  'tensorflow, wasm, cpu, graph, tensorflow:bptt, wasm:bptt, cpu:bptt: only these, and each must run (default: the first four, where they are)';
const candidateText = 'put your own implementation (TypeScript, JavaScript) in place of the twin';
const exitText =
  'Exit codes: 0 parity, 1 mismatch, 2 usage or harness error, 3 a required backend did not run, 130 interrupted.';

/** `rnn-parity fuzz` */
export const defineFuzz: DefineCommand = (program, finish) => {
  program
    .command('fuzz')
    .description('put generated problems to every side; shrink and keep what fails (docs/fuzz.md)')
    .addOption(
      new Option('--time <duration>', 'as many problems as fit in, per shard (default: 60s)')
        .argParser(duration)
        .conflicts('cases'),
    )
    .addOption(new Option('--cases <n>', 'so many problems, all shards together').argParser(wholeFrom(1)))
    .addOption(
      new Option('--shard <i/n>', 'part i of n; every problem is in exactly one')
        .argParser(shard)
        .default({ index: 1, of: 1 }, '1/1'),
    )
    .addOption(new Option('--seed <n>', 'names the series of problems').argParser(wholeFrom(0)).default(1))
    .option('--backends <list>', backendsText)
    .option('--candidate <module>', candidateText)
    .addOption(
      new Option('--timeout <duration>', 'for a candidate, per problem')
        .argParser(duration)
        .default(30, '30s'),
    )
    .addOption(
      new Option('--shrink <duration>', 'at most, to make one kind of failure simpler; 0s: not at all')
        .argParser(duration)
        .default(20, '20s'),
    )
    .option('--out <dir>', 'where the cases that fail go', 'fuzz-cases')
    .option('--json [file]', 'the summary as JSON, to a file or (without one, or with -) to stdout')
    .addHelpText(
      'after',
      `
${exitText}
Problem number i of a seed is the same on every machine, whatever the time, the shard or the sides.

Examples:
  rnn-parity fuzz --time 60s
  rnn-parity fuzz --cases 10000 --shard 3/8 --json shard-3.json
  rnn-parity fuzz --cases 500 --candidate ./my-rnn.ts`,
    )
    .action(async (flags: FuzzFlags) => {
      const { fuzzCommand } = await import('./run-fuzz.js');
      finish(await fuzzCommand(flags));
    });
};

export interface ReplayFlags {
  readonly backends?: string;
  readonly candidate?: string;
  readonly timeout: number;
  readonly json?: string | true;
}

/** `rnn-parity replay` */
export const defineReplay: DefineCommand = (program, finish) => {
  program
    .command('replay')
    .description('put a case that fuzz kept again: is the verdict the same?')
    .argument('<file>', 'a case file')
    .option('--backends <list>', 'put it to these instead of the side that it was found on')
    .option('--candidate <module>', 'put it to this implementation')
    .addOption(new Option('--timeout <duration>', 'for a candidate').argParser(duration).default(30, '30s'))
    .option('--json [file]', 'both verdicts as JSON, to a file or (without one, or with -) to stdout')
    .addHelpText(
      'after',
      `
${exitText}
0 means that the failure is gone, 1 that it is there: as git bisect run wants it.

Examples:
  rnn-parity replay fuzz-cases/1-17-tfjs-wasm.json
  rnn-parity replay fuzz-cases/1-17-mine.json --candidate ./my-rnn.ts`,
    )
    .action(async (file: string, flags: ReplayFlags) => {
      const { replayCommand } = await import('./run-fuzz.js');
      finish(await replayCommand(file, flags));
    });
};

export interface MergeFlags {
  readonly json?: string | true;
}

/** `rnn-parity merge` */
export const defineMerge: DefineCommand = (program, finish) => {
  program
    .command('merge')
    .description('merge the summaries of all shards of a fuzz series into one verdict')
    .argument('<files...>', 'what fuzz --json FILE wrote, one file a shard')
    .option('--json [file]', 'the merged summary as JSON, to a file or (without one, or with -) to stdout')
    .addHelpText(
      'after',
      `
${exitText}
The exit code is that of one run of all problems; a shard that is missing, twice there or cut short is an error (2).

Example:
  rnn-parity merge shard-*.json`,
    )
    .action(async (files: string[], flags: MergeFlags) => {
      const { mergeCommand } = await import('./run-fuzz.js');
      finish(await mergeCommand(files, flags));
    });
};

function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * { ms: 0.001, s: 1, m: 60, h: 3600 }[(unit || 's') as 's'];
  if (Number.isFinite(seconds) && seconds <= 7 * 86_400) return seconds;
  throw new InvalidArgumentError('a number with ms, s, m or h was expected, for example 60s.');
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text.trim()) && value >= least && value <= 2 ** 31) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to 2147483648 was expected.`);
  };
}

function shard(text: string): Shard {
  const [, index, of] = (/^(\d+)\/(\d+)$/.exec(text.trim()) ?? []).map(Number);
  if (index >= 1 && index <= of && of <= 1e6) return { index, of };
  throw new InvalidArgumentError('i/n with 1 <= i <= n was expected, for example 3/8.');
}
