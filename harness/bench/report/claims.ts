import { parseEngines } from '../catalogue';
import { mergePlans, type PlannedSize } from '../plan';
import { parseSize, withLayers, type BenchSize } from '../size';
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
  readonly size: string;
  /** instead of the simple RNN */ readonly layers?: string;
  readonly engines: readonly string[];
  readonly over: readonly string[];
  readonly atLeast: number;
}

/** The graph with any threads settings; the report names the fastest one. */
const graph = ['graph', 'graph:1', 'graph:intra1'];
const layers = ['layers:tensorflow'];
const kerasOrTorch = ['keras', 'torch', 'torch:1'];
const notebook = ['numpy-notebook', 'numpy-notebook:1'];

const overLayers = {
  claim: 'training step: graph against tf.layers + minimize on tfjs-node',
  task: 'step',
} as const;
const overPeers = {
  claim: 'training step: the best engine here against the faster of Keras and PyTorch',
  task: 'step',
} as const;
const forward = {
  claim: 'forward, batch 1: graph against tf.layers predict on tfjs-node',
  task: 'forward1',
} as const;
const overNotebook = {
  claim: 'training step: scratch against the notebook under NumPy',
  task: 'step',
} as const;
const onWasm = {
  claim: 'training step on wasm: the twin against tf.layers + minimize',
  task: 'step',
} as const;
const epoch = {
  claim: 'an epoch through fit: graph against tf.layers fit on tfjs-node',
  task: 'epoch',
} as const;

const speedClaims: readonly SpeedClaim[] = [
  { ...overLayers, size: 'S', engines: graph, over: layers, atLeast: 40 },
  { ...overLayers, size: 'M', engines: graph, over: layers, atLeast: 18 },
  { ...overLayers, size: 'L', engines: graph, over: layers, atLeast: 1.8 },
  { ...overPeers, size: 'S', engines: ['scratch', ...graph], over: kerasOrTorch, atLeast: 40 },
  { ...overPeers, size: 'M', engines: ['scratch', ...graph], over: kerasOrTorch, atLeast: 2 },
  { ...overPeers, size: 'L', engines: graph, over: kerasOrTorch, atLeast: 1 / 1.2 },
  { ...forward, size: 'S', engines: graph, over: layers, atLeast: 30 },
  { ...forward, size: 'M', engines: graph, over: layers, atLeast: 50 },
  { ...forward, size: 'L', engines: graph, over: layers, atLeast: 10 },
  { ...overNotebook, size: 'S', engines: ['scratch'], over: notebook, atLeast: 15 },
  { ...overNotebook, size: 'M', engines: ['scratch'], over: notebook, atLeast: 1 / 5 },
  { ...onWasm, size: 'S', engines: ['tfjs:wasm:bptt'], over: ['layers:wasm'], atLeast: 4 },
  { ...onWasm, size: 'M', engines: ['tfjs:wasm:bptt'], over: ['layers:wasm'], atLeast: 4 },
  { ...onWasm, size: 'L', engines: ['tfjs:wasm:bptt'], over: ['layers:wasm'], atLeast: 8 },
  { ...epoch, size: 'digits', engines: graph, over: layers, atLeast: 10 },
  ...(['lstm', 'gru'] as const).flatMap(gatedClaims),
];

/** LSTM and GRU; that of tf.layers knows the reset before the matrix alone, that of PyTorch the one after it. */
function gatedClaims(layer: 'lstm' | 'gru'): SpeedClaim[] {
  const own = (units: number) => `${layer}:${units}`;
  const asTfjs = layer === 'gru' ? `${own(128)}:resetAfter=false` : own(128);
  const step = (over: string) =>
    ({ claim: `training step, ${layer}: graph against ${over}`, task: 'step' }) as const;
  const torch = ['torch', 'torch:1'];
  return [
    {
      ...step('tf.layers + minimize on tfjs-node'),
      size: 'M',
      layers: asTfjs,
      engines: graph,
      over: layers,
      atLeast: 25,
    },
    { ...step('Keras'), size: 'M', layers: own(128), engines: graph, over: ['keras'], atLeast: 1.8 },
    {
      ...step('PyTorch'),
      ...{ size: 'M', layers: own(128), engines: graph, over: torch },
      atLeast: layer === 'lstm' ? 1 / 1.2 : 1.3,
    },
    {
      ...step('the faster of Keras and PyTorch'),
      size: 'L',
      layers: own(512),
      engines: graph,
      over: kerasOrTorch,
      atLeast: 1 / 1.2,
    },
    {
      claim: `training step, ${layer}: the best engine here against the faster of Keras and PyTorch`,
      task: 'step',
      ...{ size: 'S', layers: own(4), engines: ['scratch', ...graph], over: kerasOrTorch },
      atLeast: 20,
    },
    {
      claim: `training step on wasm, ${layer}: the twin against tf.layers + minimize`,
      task: 'step',
      ...{ size: 'M', layers: asTfjs, engines: ['tfjs:wasm:bptt'], over: ['layers:wasm'] },
      atLeast: 4,
    },
  ];
}

/** The size of a promise, with its layers. */
function sizeOfClaim({ size, layers: below }: Pick<SpeedClaim, 'size' | 'layers'>): BenchSize {
  return below === undefined ? parseSize(size) : withLayers(parseSize(size), below);
}

/** What has to be measured so that every promise about speed and set-up can be judged. */
export function promisePlan(): PlannedSize[] {
  const plan = (size: BenchSize, task: Task, engines: readonly string[]): PlannedSize[] => [
    { size, tasks: [{ task, engines: parseEngines(engines.join(',')) }] },
  ];
  return mergePlans(
    ...speedClaims.map((claim) => plan(sizeOfClaim(claim), claim.task, [...claim.engines, ...claim.over])),
    plan(parseSize('long'), 'setup', ['graph']),
  );
}

const longSetUpMilliseconds = 3000;
/** Garbage that the collector has not taken yet moves the resident set by this much. */
const flatBytes = 32 * 2 ** 20;

/** Every promise, judged by ratios of medians of this run. */
export function judgeClaims(report: BenchReport): ClaimVerdict[] {
  return [
    ...speedClaims.map((claim) => judgeSpeed(report, claim)),
    judgeSetUp(report),
    judgeMemory(report, 'steps', '20,000 training steps with flat memory and tensor count'),
    judgeMemory(report, 'cycles', '100 models built and released with flat memory and tensor count'),
  ];
}

function judgeSpeed(report: BenchReport, promise: SpeedClaim): ClaimVerdict {
  const { claim, task, atLeast } = promise;
  const size = sizeOfClaim(promise).name;
  const common = { claim, where: size, required: describeRatio(atLeast, 'least') };
  const fast = fastest(report, size, task, promise.engines);
  const over = fastest(report, size, task, promise.over);
  if (fast === undefined || over === undefined) return { ...common, verdict: 'not measured' };
  const ratio = over.spread.median / fast.spread.median;
  const who = `${fast.engine} against ${over.engine}`;
  return {
    ...common,
    measured: `${describeRatio(ratio)} (${who})`,
    verdict: ratio >= atLeast ? 'met' : 'missed',
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
