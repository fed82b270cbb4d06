import type { BenchReport, EnduranceSeries, TaskResult } from './schema';
import type { Task } from '../task';

/** A number that this project promises, and what one run of the bench says about it. */
export interface ClaimVerdict {
  readonly claim: string;
  /** size, or where else it was measured */ readonly where: string;
  readonly required: string;
  /** absent when the run did not measure it */ readonly measured?: string;
  readonly verdict: 'met' | 'missed' | 'not measured';
}

/** The time of `over` divided by that of `engines` must be at least this; of several engines, the fastest counts. */
interface SpeedClaim {
  readonly claim: string;
  readonly task: Task;
  readonly engines: readonly string[];
  readonly over: readonly string[];
  /** size to least ratio */ readonly atLeast: Readonly<Record<string, number>>;
}

/** The graph with any threads settings; which one was fastest is told. */
const graph = ['graph', 'graph:1', 'graph:chains'];
const wasm = ['tfjs:wasm', 'tfjs:wasm:bptt'];
const own = ['scratch', ...graph, ...wasm, 'tfjs:tensorflow', 'tfjs:tensorflow:bptt'];
const layers = ['layers:tensorflow'];

const speedClaims: readonly SpeedClaim[] = [
  {
    claim: 'training step: graph against tf.layers + minimize on tfjs-node',
    task: 'step',
    engines: graph,
    over: layers,
    atLeast: { S: 40, M: 18, L: 1.8 },
  },
  {
    claim: 'training step: the best engine here against the faster of Keras and PyTorch',
    task: 'step',
    engines: own,
    over: ['keras', 'torch', 'torch:1'],
    atLeast: { S: 40, M: 2, L: 1 / 1.2 },
  },
  {
    claim: 'forward, batch 1: graph against tf.layers predict on tfjs-node',
    task: 'forward1',
    engines: graph,
    over: layers,
    atLeast: { S: 30, M: 50, L: 10 },
  },
  {
    claim: 'training step: scratch against the notebook under NumPy',
    task: 'step',
    engines: ['scratch'],
    over: ['numpy-notebook', 'numpy-notebook:1'],
    atLeast: { S: 15, M: 1 / 5 },
  },
  {
    claim: 'training step on wasm: the twin against tf.layers + minimize',
    task: 'step',
    engines: wasm,
    over: ['layers:wasm'],
    atLeast: { S: 4, M: 4, L: 8 },
  },
  {
    claim: 'an epoch through fit: graph against tf.layers fit on tfjs-node',
    task: 'epoch',
    engines: graph,
    over: layers,
    atLeast: { digits: 10 },
  },
];

const longSetUpMilliseconds = 3000;
/** Garbage that the collector has not taken yet moves the resident set by this much. */
const flatBytes = 32 * 2 ** 20;

/** Every promise, judged by ratios of medians of this run. */
export function judgeClaims(report: BenchReport): ClaimVerdict[] {
  return [
    ...speedClaims.flatMap((claim) =>
      Object.entries(claim.atLeast).map(([size, least]) => judgeSpeed(report, claim, size, least)),
    ),
    judgeSetUp(report),
    judgeMemory(report, 'steps', '20,000 training steps with flat memory and tensor count'),
    judgeMemory(report, 'cycles', '100 models built and released with flat memory and tensor count'),
  ];
}

function judgeSpeed(report: BenchReport, claim: SpeedClaim, size: string, least: number): ClaimVerdict {
  const common = { claim: claim.claim, where: size, required: describeRatio(least, 'least') };
  const fast = fastest(report, size, claim.task, claim.engines);
  const over = fastest(report, size, claim.task, claim.over);
  if (fast === undefined || over === undefined) return { ...common, verdict: 'not measured' };
  const ratio = over.spread.median / fast.spread.median;
  const who = `${fast.engine} against ${over.engine}`;
  return {
    ...common,
    measured: `${describeRatio(ratio)} (${who})`,
    verdict: ratio >= least ? 'met' : 'missed',
  };
}

/** `18x faster`, or for ratios below 1 `1.2x its time`. */
function describeRatio(ratio: number, bound?: 'least'): string {
  const number = (x: number) => String(Number(x.toPrecision(3)));
  if (ratio >= 1) return `${bound === undefined ? '' : 'at least '}${number(ratio)}x faster`;
  return `${bound === undefined ? '' : 'at most '}${number(1 / ratio)}x its time`;
}

function fastest(
  report: BenchReport,
  size: string,
  task: Task,
  engines: readonly string[],
): TaskResult | undefined {
  return resultsOf(report, size, task)
    .filter(({ engine }) => engines.includes(engine))
    .sort((left, right) => left.spread.median - right.spread.median)
    .at(0);
}

function resultsOf(report: BenchReport, size: string, task: Task): readonly TaskResult[] {
  return report.sizes
    .filter((candidate) => candidate.size.name === size)
    .flatMap(({ tasks }) => tasks.filter((candidate) => candidate.task === task))
    .flatMap(({ results }) => results);
}

function judgeSetUp(report: BenchReport): ClaimVerdict {
  const common = {
    claim: 'set-up of a graph for T = 784, first step included',
    where: 'long',
    required: 'under 3 s',
  };
  const setUp = fastest(report, 'long', 'setup', ['graph']);
  if (setUp === undefined) return { ...common, verdict: 'not measured' };
  // The slower of the first set-up of the process and the median one is what a user may meet.
  const worst = Math.max(setUp.firstMilliseconds, setUp.spread.median);
  return {
    ...common,
    measured: `${(worst / 1000).toPrecision(3)} s`,
    verdict: worst < longSetUpMilliseconds ? 'met' : 'missed',
  };
}

function judgeMemory(report: BenchReport, series: 'steps' | 'cycles', claim: string): ClaimVerdict {
  const watched = report.endurance.find(({ engine }) => engine === 'graph');
  const common = {
    claim: `graph: ${claim}`,
    where: watched?.size.name ?? 'M',
    required: 'at most 32 MiB and 0 tensors',
  };
  const growth = watched && memoryGrowth(watched[series]);
  if (watched === undefined || growth === undefined || watched.failures.length > 0)
    return { ...common, verdict: 'not measured' };
  const flat = growth.bytes <= flatBytes && (growth.tensors ?? 0) <= 0;
  const tensors = growth.tensors === undefined ? '' : ` and ${growth.tensors} tensors`;
  return {
    ...common,
    measured: `${(growth.bytes / 2 ** 20).toFixed(1)} MiB${tensors} more`,
    verdict: flat ? 'met' : 'missed',
  };
}

/** From the first reading, after warm-up, to the last; undefined when there are not two. */
export function memoryGrowth({ readings }: EnduranceSeries): { bytes: number; tensors?: number } | undefined {
  const [first, last] = [readings.at(0), readings.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  const bytes = last.rssBytes - first.rssBytes;
  if (first.tensors === undefined || last.tensors === undefined) return { bytes };
  return { bytes, tensors: last.tensors - first.tensors };
}
