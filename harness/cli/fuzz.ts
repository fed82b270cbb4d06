import { InvalidArgumentError } from 'commander';
import { stopOnInterrupt } from '../base/interrupt';
import { stderrProgress } from '../base/stderr-progress';
import type { Shard } from '../fuzz/series';
import type { Networks } from '../problems/index';
import { defineCommand, type FlagsOf } from './command';
import { comparedCell } from './equations';
import * as options from './options';
import { checkFolder, openOutputs, say } from './outputs';

const { duration, option, text, whole } = options;

/** Enough for T = 1, odd batches and all paddings of a texture, and few enough that most problems need no new program. */
const gpuShapes = 12;

const table = {
  time: option(
    '--time <duration>',
    'generate problems for this long, in each shard (default: 60s)',
    duration(0.001),
  ).conflicts('cases'),
  cases: option('--cases <n>', 'number of problems of all shards together', whole(1)),
  shard: option('--shard <i/n>', 'run part i of n; every problem is in exactly one part', shard).default(
    { index: 1, of: 1 },
    '1/1',
  ),
  seed: options.seedFlag('seed of the series of problems'),
  layers: text(
    '--layers <list>',
    "problems about this network: 'lstm:16,dense:3'; lstm:* takes another number of units for every problem; any: every kind of network; any(lstm,dense): networks of these layers",
  ),
  equations: text(
    '--equations <file>',
    'with --candidate: problems about a cell of your own, a module that exports `cell = defineCell({ ... })`',
  ).conflicts('layers'),
  shapes: option(
    '--shapes <n>',
    `draw the sizes of all problems from n shapes: a graphics card compiles its programs for every new shape (default: ${gpuShapes} where --backends names one; 0: a shape for every problem)`,
    whole(0),
  ),
  ...options.backendsFlags('run only these'),
  ...options.candidateFlags,
  shrink: option(
    '--shrink <duration>',
    'time limit for simplifying one class of failure; 0s: do not simplify',
    duration(),
  ).default(20, '20s'),
  out: text('--out <dir>', 'directory for the cases that fail').default('fuzz-cases'),
  json: options.jsonFlag('the summary'),
};
type Flags = FlagsOf<typeof table>;

export const defineFuzz = defineCommand({
  name: 'fuzz',
  description: 'run every side on generated problems; simplify and save the failures (docs/fuzz.md)',
  flags: table,
  help: `${options.exitText}, 130 interrupted.
Problem number i of a seed is the same on every machine, in every shard and for every side.

Examples:
  rnn-parity fuzz --time 60s
  rnn-parity fuzz --layers any --cases 1000
  rnn-parity fuzz --layers 'bidirectional(gru:*),lstm:*,dense:*'
  rnn-parity fuzz --equations my-cell.ts --candidate ./my-layer.ts
  rnn-parity fuzz --cases 500 --backends browser:webgl,browser:webgpu
  rnn-parity fuzz --cases 10000 --shard 3/8 --json shard-3.json
  rnn-parity fuzz --cases 500 --candidate ./my-rnn.ts`,
  async run(flags, command) {
    const { backends, candidate, cases, python, seed, shard, out } = flags;
    if (candidate === undefined) command.refuseIdle('without --candidate', 'timeout');
    options.refuseIdlePython(command, '--backends', backends, 'python');
    const { runFuzz } = await import('../fuzz/run.js');
    const { sidesFor } = await import('../fuzz/sides.js');
    const { formatFuzzSummary } = await import('../fuzz/summary-text.js');
    const { isNativeRequired } = await import('../../src/index.js');
    const outputs = await openOutputs(flags, { json: 'rnn-parity-fuzz/' });
    await checkFolder('--out', out);
    const requireNative = isNativeRequired();
    const stop = stopOnInterrupt('finishing the problem under way');
    try {
      const summary = await runFuzz({
        ...{ seed, shard, out },
        sides: sidesFor({ backends, python, candidate, timeoutSeconds: flags.timeout, requireNative }),
        networks: await networksOf(flags),
        plan: cases === undefined ? { seconds: flags.time ?? 60 } : { cases },
        shrinkSeconds: flags.shrink,
        signal: stop.signal,
        progress: stderrProgress,
        ...(outputs.has('json') && {
          save: {
            everySeconds: 30,
            // the run goes on: what cannot be written now is written at its end, or is an error then
            write: (summary) =>
              outputs
                .write('json', () => `${JSON.stringify(summary, undefined, 2)}\n`)
                .catch((error: unknown) => {
                  say(`warning: what was found so far is not saved: ${(error as Error).message}`);
                }),
          },
        }),
      });
      const text = formatFuzzSummary(summary);
      return await outputs.outcome({ exitCode: summary.exitCode, text, json: summary, summarizes: true });
    } finally {
      stop.dispose();
    }
  },
});

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
