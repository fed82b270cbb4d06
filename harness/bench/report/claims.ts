import { parseEngines } from '../catalogue';
import { mergePlans, type PlannedSize } from '../plan';
import { parseSize, withLayers, type BenchSize } from '../size';
import type { BenchReport, EnduranceSeries, TaskResult } from './schema';
import type { Task } from '../task';

/** A number that this project promises, and what one run of the bench says about it. */
export interface ClaimVerdict extends Pledge {
  /** absent when the run did not measure it */ readonly measured?: string;
  readonly verdict: 'met' | 'missed' | 'not measured';
}

interface Pledge {
  readonly claim: string;
  /** size, or where else it was measured */ readonly where: string;
  readonly required: string;
}

/** Who is compared with whom in what; of several engines, the fastest counts. */
interface Race {
  readonly claim: string;
  readonly task: Task;
  readonly engines: readonly string[];
  readonly over: readonly string[];
}

/** The time of `over` divided by that of `engines` must be at least this. */
interface SpeedClaim extends Race {
  readonly size: string;
  /** instead of the simple RNN */ readonly layers?: string;
  readonly atLeast: number;
}

/** The graph with any threads settings; the report names the fastest one. */
const graph = ['graph', 'graph:1', 'graph:intra1'];
const kerasOrTorch = ['keras', 'torch', 'torch:1'];

const step = (claim: string, engines: readonly string[], over: readonly string[]): Race => ({
  claim: `training step: ${claim}`,
  task: 'step',
  engines,
  over,
});
const overLayers = step('graph against tf.layers + minimize on tfjs-node', graph, ['layers:tensorflow']);
const overPeers = step(
  'the best engine here against the faster of Keras and PyTorch',
  ['scratch', ...graph],
  kerasOrTorch,
);
const onWasm: Race = {
  claim: 'training step on wasm: the twin against tf.layers + minimize',
  task: 'step',
  engines: ['tfjs:wasm:bptt'],
  over: ['layers:wasm'],
};
const forward = 'forward, batch 1: graph against tf.layers predict on tfjs-node';
const epoch = 'an epoch through fit: graph against tf.layers fit on tfjs-node';
const overNotebook = step(
  'scratch against the notebook under NumPy',
  ['scratch'],
  ['numpy-notebook', 'numpy-notebook:1'],
);

const speedClaims: readonly SpeedClaim[] = [
  ...at({ S: 40, M: 18, L: 1.8 }, overLayers),
  ...at({ S: 40, M: 2 }, overPeers),
  ...at({ L: 1 / 1.2 }, { ...overPeers, engines: graph }),
  ...at({ S: 30, M: 50, L: 10 }, { ...overLayers, claim: forward, task: 'forward1' }),
  ...at({ S: 15, M: 1 / 5 }, overNotebook),
  ...at({ S: 4, M: 4, L: 8 }, onWasm),
  ...at({ digits: 10 }, { ...overLayers, claim: epoch, task: 'epoch' }),
  ...(['lstm', 'gru'] as const).flatMap(gatedClaims),
];

/** LSTM and GRU; that of tf.layers knows the reset before the matrix alone, that of PyTorch the one after it. */
function gatedClaims(layer: 'lstm' | 'gru'): SpeedClaim[] {
  const asTfjs = layer === 'gru' ? 'gru:128:resetAfter=false' : 'lstm:128';
  const torch = layer === 'lstm' ? 1 / 1.2 : 1.3;
  const eitherPeer = step('graph against the faster of Keras and PyTorch', graph, kerasOrTorch);
  return [
    ...at({ M: 25 }, overLayers, asTfjs),
    ...at({ M: 1.8 }, step('graph against Keras', graph, ['keras']), `${layer}:128`),
    ...at({ M: torch }, step('graph against PyTorch', graph, ['torch', 'torch:1']), `${layer}:128`),
    ...at({ L: 1 / 1.2 }, eitherPeer, `${layer}:512`),
    ...at({ S: 20 }, overPeers, `${layer}:4`),
    ...at({ M: 4 }, onWasm, asTfjs),
  ];
}

/** A race at some sizes, each with what it must reach; with other layers the claim names them. */
function at(sizes: Readonly<Record<string, number>>, race: Race, layers?: string): SpeedClaim[] {
  const claim = layers === undefined ? race.claim : race.claim.replace(':', `, ${layers.split(':', 1)[0]}:`);
  return Object.entries(sizes).map(([size, atLeast]) => ({
    ...race,
    ...{ claim, size, atLeast },
    ...(layers !== undefined && { layers }),
  }));
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

const verdictOf = (promise: Pledge, measured?: string, isMet = false): ClaimVerdict =>
  measured === undefined
    ? { ...promise, verdict: 'not measured' }
    : { ...promise, measured, verdict: isMet ? 'met' : 'missed' };

function judgeSpeed(report: BenchReport, promise: SpeedClaim): ClaimVerdict {
  const { claim, task, atLeast } = promise;
  const size = sizeOfClaim(promise).name;
  const pledge = { claim, where: size, required: describeRatio(atLeast, 'least') };
  const fast = fastest(report, size, task, promise.engines);
  const over = fastest(report, size, task, promise.over);
  if (fast === undefined || over === undefined) return verdictOf(pledge);
  const ratio = over.spread.median / fast.spread.median;
  const who = `${fast.engine} against ${over.engine}`;
  return verdictOf(pledge, `${describeRatio(ratio)} (${who})`, ratio >= atLeast);
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
  return report.sizes
    .filter((candidate) => candidate.size.name === size)
    .flatMap(({ tasks }) => tasks.filter((candidate) => candidate.task === task))
    .flatMap(({ results }) => results)
    .filter(({ engine }) => engines.includes(engine))
    .sort((left, right) => left.spread.median - right.spread.median)
    .at(0);
}

function judgeSetUp(report: BenchReport): ClaimVerdict {
  const pledge = {
    claim: 'set-up of a graph for T = 784, first step included',
    where: 'long',
    required: 'under 3 s',
  };
  const setUp = fastest(report, 'long', 'setup', ['graph']);
  if (setUp === undefined) return verdictOf(pledge);
  // The slower of the first set-up of the process and the median one is what a user may meet.
  const worst = Math.max(setUp.firstMilliseconds, setUp.spread.median);
  return verdictOf(pledge, `${(worst / 1000).toPrecision(3)} s`, worst < longSetUpMilliseconds);
}

function judgeMemory(report: BenchReport, series: 'steps' | 'cycles', claim: string): ClaimVerdict {
  const watched = report.endurance.find(({ engine }) => engine === 'graph');
  const pledge = {
    claim: `graph: ${claim}`,
    where: watched?.size.name ?? 'M',
    required: 'at most 32 MiB and 0 tensors',
  };
  const growth = watched && memoryGrowth(watched[series]);
  if (watched === undefined || growth === undefined || watched.failures.length > 0) return verdictOf(pledge);
  const isFlat = growth.bytes <= flatBytes && (growth.tensors ?? 0) <= 0;
  const tensors = growth.tensors === undefined ? '' : ` and ${growth.tensors} tensors`;
  return verdictOf(pledge, `${(growth.bytes / 2 ** 20).toFixed(1)} MiB${tensors} more`, isFlat);
}

/** From the first reading, after warm-up, to the last; undefined when there are not two. */
export function memoryGrowth({ readings }: EnduranceSeries): { bytes: number; tensors?: number } | undefined {
  const [first, last] = [readings.at(0), readings.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  const bytes = last.rssBytes - first.rssBytes;
  if (first.tensors === undefined || last.tensors === undefined) return { bytes };
  return { bytes, tensors: last.tensors - first.tensors };
}
