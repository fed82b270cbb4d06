import { Option, type Command } from 'commander';
import { type DefineCommand, argumentsOf } from './command';
import { UsageError } from '../base/outcome';
import { defaultEngines, engineEntries } from '../bench/catalogue';
import { describeSize, namedSizes, parseSize } from '../bench/size';
import { taskTitles } from '../bench/task';

/** The flags of `bench` as commander gives them. */
export interface BenchFlags {
  readonly sizes?: string;
  readonly promises?: true;
  readonly engines: string;
  readonly tasks: string;
  readonly rounds: number;
  readonly time: number;
  readonly baseline?: string;
  readonly python?: string;
  readonly sweep: readonly string[];
  readonly sweepBase: string;
  readonly sweepEngines?: string;
  readonly endurance?: string;
  readonly maxCall: number;
  readonly rest: number;
  readonly seed: number;
  readonly from?: string;
  readonly json?: string | true;
  readonly html?: string;
  readonly markdown?: string;
}

/** `rnn-parity bench` */
export const defineBench: DefineCommand = (program, finish) => {
  program
    .command('bench')
    .summary('time training and forward passes of every engine, interleaved, after asserting parity')
    .description(
      'Time training steps, epochs and forward passes of every engine on this machine. Each engine first has to ' +
        'agree with the scratch network; then all take turns in one run, so that their ratios can be believed.',
    )
    .option('--sizes <list>', 'sizes to measure (below), or "none" (default: S,M)')
    .option('--engines <list>', 'engines to measure (below), or "all"', defaultEngines)
    .option('--tasks <list>', 'what to time (below)', 'step,forward1')
    .addOption(
      new Option('--rounds <n>', 'at most so many rounds').default(15).argParser(count('--rounds', 1)),
    )
    .addOption(
      new Option('--time <duration>', 'no new round after so long, per size and task; at least 3 rounds')
        .default(30_000, '30s')
        .argParser(duration('--time')),
    )
    .option(
      '--baseline <engine>',
      'the engine that ratios are over (default: layers:tensorflow where it runs)',
    )
    .option('--python <path>', 'the Python that has the peers (default: python3 on the PATH)')
    .option(
      '--sweep <letter=values>',
      'also sweep one letter of a size: T=5,10,20,50 (repeatable)',
      collect,
      [],
    )
    .option('--sweep-base <size>', 'the size whose letter a sweep changes', 'M')
    .option('--sweep-engines <list>', 'engines of the sweeps (default: as --engines)')
    .option(
      '--promises',
      'measure what the promises of docs/performance.md need (and no other --sizes unless given)',
    )
    .option('--endurance <list>', 'engines whose memory is watched over 20,000 steps and 100 models')
    .addOption(
      new Option('--max-call <duration>', 'leave out an engine where one call takes longer')
        .default(30_000, '30s')
        .argParser(duration('--max-call')),
    )
    .addOption(
      new Option('--rest <duration>', 'rest between two samples, for threads that spin to go to sleep')
        .default(100, '100ms')
        .argParser(duration('--rest')),
    )
    .addOption(
      new Option('--seed <n>', 'of data, weights and turns').default(1).argParser(count('--seed', 0)),
    )
    .option('--from <file>', 'measure nothing: make the reports from the JSON of an earlier run')
    .option('--json [file]', 'everything measured, as JSON: to a file, or to stdout in place of the tables')
    .option('--html <file>', 'a self-contained page with charts')
    .option('--markdown <file>', 'the report that docs/performance.md is')
    .addHelpText('after', helpAfter())
    .action(async (flags: BenchFlags, command: Command) => {
      const { bench } = await import('./run-bench.js');
      finish(await bench(flags, argumentsOf(command)));
    });
};

function helpAfter(): string {
  const lines = (rows: readonly (readonly [string, string])[]): string =>
    rows.map(([name, text]) => `  ${name.padEnd(18)} ${text}`).join('\n');
  return `
Sizes (B sequences of T steps of F features, U units, C classes; or spell your own, B10T5F2U4C3):
${lines(namedSizes.map((name) => [name, sizeText(name)]))}

Tasks:
${lines(Object.entries(taskTitles))}

Engines (tfjs and layers alone mean all of theirs; what is not installed is named absent):
${lines(engineEntries.map(({ name, title }) => [name, title]))}

Examples:
  rnn-parity bench                                        a first look, about 3 minutes
  rnn-parity bench --sizes S --engines scratch,layers     what this machine needs no set-up for
  rnn-parity bench --python .venv/bin/python --engines all --html bench.html
  rnn-parity bench --sizes none --sweep U=4,16,64,256 --engines scratch,graph --html sweep.html

Exit codes: 0 measured, 1 an engine did not agree with scratch, 2 usage error, 3 the --baseline or no engine ran.`;
}

function sizeText(name: string): string {
  const size = parseSize(name);
  const data = size.data === 'digits' ? `, ${size.epochExamples} handwritten digits` : '';
  return `${describeSize(size)}${data}`;
}

const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];

const count =
  (flag: string, least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new UsageError(
      `${flag}: "${text}" is no whole number of at least ${least}; write for example ${flag} 15.`,
    );
  };

const duration =
  (flag: string) =>
  (text: string): number => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
    if (match !== null) return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
    throw new UsageError(
      `${flag}: "${text}" is no duration; write a number with ms, s or m, for example ${flag} 60s.`,
    );
  };
