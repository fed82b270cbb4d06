import { InvalidArgumentError, Option, type Command } from 'commander';
import { stopOnInterrupt } from '../base/interrupt';
import { stderrProgress } from '../base/stderr-progress';
import type { Shard } from '../fuzz/series';
import type { Networks } from '../problems/index';
import { refuseIdle, type DefineCommand } from './command';
import { comparedCell } from './equations';
import * as options from './options';
import { checkFolder, checkOutputs, outputOf, withJson, writeOutput, type JsonFlag } from './outputs';

interface Flags {
  readonly time?: number;
  readonly cases?: number;
  readonly shard: Shard;
  readonly seed: number;
  readonly layers?: string;
  readonly equations?: string;
  readonly shapes?: number;
  readonly backends?: string;
  readonly python?: string;
  readonly candidate?: string;
  readonly timeout: number;
  readonly shrink: number;
  readonly out: string;
  readonly json?: JsonFlag;
}

/** `rnn-parity fuzz` */
export const defineFuzz: DefineCommand = (program, finish) => {
  const command = program
    .command('fuzz')
    .description('run every side on generated problems; simplify and save the failures (docs/fuzz.md)');
  options
    .addOptions(command, [
      options
        .option(
          '--time <duration>',
          'generate problems for this long, in each shard (default: 60s)',
          options.duration(0.001),
        )
        .conflicts('cases'),
      options.option('--cases <n>', 'number of problems of all shards together', options.whole(1)),
      options.option(
        '--shard <i/n>',
        'run part i of n; every problem is in exactly one part',
        shard,
        { index: 1, of: 1 },
        '1/1',
      ),
      options.seedOption('seed of the series of problems'),
      new Option(
        '--layers <list>',
        "problems about this network: 'lstm:16,dense:3'; lstm:* takes another number of units for every problem; any: every kind of network; any(lstm,dense): networks of these layers",
      ),
      new Option(
        '--equations <file>',
        'with --candidate: problems about a cell of your own, a module that exports `cell = defineCell({ ... })`',
      ).conflicts('layers'),
      options.option(
        '--shapes <n>',
        `draw the sizes of all problems from n shapes: a graphics card compiles its programs for every new shape (default: ${gpuShapes} where --backends names one; 0: a shape for every problem)`,
        options.whole(0),
      ),
      ...options.backendsAndPython('run only these'),
      ...options.candidateOptions(),
      options.option(
        '--shrink <duration>',
        'time limit for simplifying one class of failure; 0s: do not simplify',
        options.duration(),
        20,
        '20s',
      ),
      new Option('--out <dir>', 'directory for the cases that fail').default('fuzz-cases'),
      options.jsonOption('the summary'),
    ])
    .addHelpText(
      'after',
      `
${options.exitText}, 130 interrupted.
Problem number i of a seed is the same on every machine, in every shard and for every side.

Examples:
  rnn-parity fuzz --time 60s
  rnn-parity fuzz --layers any --cases 1000
  rnn-parity fuzz --layers 'bidirectional(gru:*),lstm:*,dense:*'
  rnn-parity fuzz --equations my-cell.ts --candidate ./my-layer.ts
  rnn-parity fuzz --cases 500 --backends browser:webgl,browser:webgpu
  rnn-parity fuzz --cases 10000 --shard 3/8 --json shard-3.json
  rnn-parity fuzz --cases 500 --candidate ./my-rnn.ts`,
    )
    .action(async (flags: Flags, command: Command) => {
      if (flags.candidate === undefined) refuseIdle(command, 'without --candidate', ['timeout']);
      options.refuseIdlePython(command, '--backends', flags.backends);
      finish(await fuzz(flags));
    });
};

async function fuzz(flags: Flags) {
  const { runFuzz } = await import('../fuzz/run.js');
  const { sidesFor } = await import('../fuzz/sides.js');
  const { formatFuzzSummary } = await import('../fuzz/summary-text.js');
  const { isNativeRequired } = await import('../../src/index.js');
  const outputs = outputOf('--json', flags.json, 'rnn-parity-fuzz/');
  await checkOutputs(outputs);
  await checkFolder('--out', flags.out);
  const stop = stopOnInterrupt('finishing the problem under way');
  try {
    const summary = await runFuzz({
      sides: sidesFor({ ...flags, timeoutSeconds: flags.timeout, requireNative: isNativeRequired() }),
      seed: flags.seed,
      networks: await networksOf(flags),
      plan: flags.cases === undefined ? { seconds: flags.time ?? 60 } : { cases: flags.cases },
      shard: flags.shard,
      out: flags.out,
      shrinkSeconds: flags.shrink,
      signal: stop.signal,
      progress: stderrProgress,
      ...(outputs.length > 0 && {
        save: {
          everySeconds: 30,
          // the run goes on: what cannot be written now is written at its end, or is an error then
          write: (summary) =>
            writeOutput(outputs, () => `${JSON.stringify(summary, undefined, 2)}\n`).catch(
              (error: unknown) => {
                process.stderr.write(
                  `warning: what was found so far is not saved: ${(error as Error).message}\n`,
                );
              },
            ),
        },
      }),
    });
    const text = formatFuzzSummary(summary);
    return await withJson({ exitCode: summary.exitCode, text, json: summary, summarizes: true }, flags.json);
  } finally {
    stop.dispose();
  }
}

/** Enough for T = 1, odd batches and all paddings of a texture, and few enough that most problems need no new program. */
const gpuShapes = 12;

/** What the problems are about; undefined for the simple RNN of any shape. */
async function networksOf(flags: Flags): Promise<Networks | undefined> {
  const { layers, equations, candidate, backends = '' } = flags;
  const { shapes = /\bbrowser:webg/.test(backends) ? gpuShapes : 0 } = flags;
  const few = shapes > 0 ? { shapes } : undefined;
  if (layers !== undefined) return { layers, ...few };
  return equations === undefined ? few : { cell: await comparedCell(equations, candidate), ...few };
}

function shard(text: string): Shard {
  const [, index, of] = (/^(\d+)\/(\d+)$/.exec(text.trim()) ?? []).map(Number);
  if (index >= 1 && index <= of && of <= 1e6) return { index, of };
  throw new InvalidArgumentError('i/n with 1 <= i <= n was expected, for example 3/8.');
}
