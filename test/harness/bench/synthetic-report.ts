import { chooseBaseline, withSpeedups } from '../../../harness/bench/report/baseline';
import type { BenchReport, SizeReport, TaskReport } from '../../../harness/bench/report/schema';
import { parseSize, withLayers, type BenchSize } from '../../../harness/bench/size';
import { spreadOf } from '../../../harness/bench/statistics';
import type { Task } from '../../../harness/bench/task';

/** Engine to its times, round by round. */
type Times = Readonly<Record<string, readonly number[]>>;

export function taskReport(task: Task, times: Times): TaskReport {
  const memory = { rssBytes: 100 * 2 ** 20, tensors: 4 };
  const results = Object.entries(times).map(([engine, milliseconds]) => ({
    engine,
    firstMilliseconds: 2 * milliseconds[0],
    callsPerRound: 1,
    milliseconds,
    spread: spreadOf(milliseconds),
    memory: { before: memory, after: memory },
  }));
  return { task, rounds: 3, othersShare: 0.01, results };
}

export function sizeReport(name: string, tasks: Partial<Record<Task, Times>>): SizeReport {
  return {
    size: sizeCalled(name),
    engines: [],
    tasks: Object.entries(tasks).map(([task, times]) => taskReport(task as Task, times)),
  };
}

/** A report of invented times, with everything that a report can hold. */
export function benchReport(
  sizes: readonly SizeReport[],
  parts: Partial<Pick<BenchReport, 'endurance' | 'sweeps' | 'products'>> = {},
): BenchReport {
  const baseline = chooseBaseline(sizes);
  return {
    format: 'rnn-parity-bench',
    version: 1,
    started: '2026-01-02T03:04:05.000Z',
    finished: '2026-01-02T03:09:05.000Z',
    command: ['--sizes', 'S,M', '--html', "it's.html"],
    seed: 1,
    machine: {
      cpu: 'Abacus <9>',
      cores: 2,
      memoryBytes: 2 ** 33,
      platform: 'linux 6 x64',
      node: 'v20.19.0',
      loadAverage: [0.1, 0.2, 0.3],
    },
    ...(parts.products && { products: parts.products }),
    warnings: ['the machine is busy'],
    ...(baseline === undefined ? {} : { baseline }),
    versions: { scratch: { 'rnn-parity': '0.1.0' } },
    absent: [{ engine: 'torch', reason: 'this Python cannot import it' }],
    sizes: baseline === undefined ? sizes : withSpeedups(sizes, baseline),
    sweeps: parts.sweeps ?? [],
    endurance: parts.endurance ?? [],
  };
}

/** `M`, or `M lstm:128`. */
function sizeCalled(name: string): BenchSize {
  const [size, ...layers] = name.split(' ');
  return layers.length === 0 ? parseSize(size) : withLayers(parseSize(size), layers.join(' '));
}
