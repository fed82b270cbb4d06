import type { Tensor } from '../../../scratch/index';
import { createRandom, type Random } from '../../../scratch/index';
import { expectedTensors, type Network, type NetworkProblem } from '../../../harness/equations/network';
import type { Cell } from '../../../harness/equations/cell';

/** Ways to fill a problem; `gaussian` at scale 1 and below is well-conditioned, the others are there to be adversarial. */
export const problemKinds = [
  'gaussian',
  'constant',
  'positive',
  'sorted',
  'skewed',
  'cancelling',
  'subnormal',
  'oneHot',
  'duplicateRows',
  'constantInTime',
  'saturated',
  'sparse',
  'powersOfTwo',
  'wide',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface GeneratedOptions {
  readonly batch?: number;
  readonly timeSteps?: number;
  readonly kind?: ProblemKind;
  /** of the weights, before division by the root of the fan-in; default 1 */ readonly scale?: number;
  readonly masked?: boolean;
  readonly initial?: boolean;
  /** loss gradients that arrive at every layer's outputs and final carries */ readonly upstream?: boolean;
  /** labels or targets, where there is a head; default true */ readonly labelled?: boolean;
}

/** One recurrent layer, `rnn`, with a dense layer for 3 classes on its last state. */
export function oneLayer(cell: Cell, features: number, units: number, classes = 3): Network {
  return {
    features,
    layers: [{ name: 'rnn', cell, units, reads: 'inputs' }],
    head: { classes, on: 'last', reads: 'rnn', loss: 'softmax' },
  };
}

/** The problem for a network that a seed stands for; every number is exact in float32. */
export function generatedProblem(
  network: Network,
  seed: number,
  options: GeneratedOptions = {},
): NetworkProblem {
  const { batch = 3, timeSteps = 4, kind = 'gaussian', scale = 1 } = options;
  const random = createRandom(seed);
  const wanted = expectedTensors(network, { batch, timeSteps, features: network.features });
  const tensors = new Map<string, Tensor>();
  for (const [path, { shape }] of wanted) {
    if (path === 'mask' && options.masked !== true) continue;
    if (path.startsWith('initialStates') && options.initial === false) continue;
    if (path.startsWith('upstream') && options.upstream !== true) continue;
    if (path === 'targets' && options.labelled === false) continue;
    tensors.set(path, fill(path, shape, kind, scale, random));
  }
  const inputs = tensors.get('inputs');
  if (inputs !== undefined) distortInputs(inputs, kind);
  const { head } = network;
  const rows = head?.on === 'steps' ? batch * timeSteps : batch;
  const labelled = head?.loss === 'softmax' && options.labelled !== false;
  return {
    ...(nested(tensors) as unknown as NetworkProblem),
    ...(labelled && { labels: Array.from({ length: rows }, () => random.integer(head.classes)) }),
  };
}

function fill(
  path: string,
  shape: readonly number[],
  kind: ProblemKind,
  scale: number,
  random: Random,
): Tensor {
  const size = shape.reduce((n, s) => n * s, 1);
  if (path === 'mask')
    return { data: Float64Array.from({ length: size }, () => (random.integer(4) > 0 ? 1 : 0)), shape };
  if (path === 'targets')
    return { data: Float64Array.from({ length: size }, () => random.integer(3) / 2), shape };
  const weight = path.startsWith('weights');
  const matrix = weight && shape.length === 2;
  const deviation = matrix
    ? scale / Math.sqrt(shape[0])
    : weight
      ? Math.min(scale, 0.5)
      : path === 'inputs'
        ? 1
        : 0.5;
  const tiny = 2 ** (-120 - random.integer(25));
  const data = Float64Array.from({ length: size }, () => {
    const x = deviation * random.normal();
    switch (kind) {
      case 'constant':
        return weight ? deviation : x;
      case 'positive':
        return Math.abs(x);
      case 'skewed':
        return matrix ? Math.max(-3, Math.min(3, x * 10 ** (2 * random.normal()))) : x;
      case 'subnormal':
        return path === 'inputs' || path === 'weights.head.kernel' ? x * tiny : x;
      case 'saturated':
        return weight && shape.length === 1 ? x + 8 * Math.sign(x) : x;
      case 'sparse':
        return random.uniform() < 0.7 ? 0 : x;
      case 'powersOfTwo':
        return x === 0 ? 0 : Math.sign(x) * 2 ** Math.round(Math.log2(Math.abs(x)));
      case 'wide':
        return path === 'inputs' ? 30 * x : x;
      default:
        return x;
    }
  });
  if (kind === 'sorted' && (matrix || path === 'inputs')) data.sort();
  if (kind === 'cancelling' && matrix)
    data.forEach((x, i) => {
      const row = Math.floor(i / shape[1]);
      data[i] = row % 2 === 0 ? 100 * x : -data[i - shape[1]] + x;
    });
  return { data: data.map(Math.fround), shape };
}

function distortInputs({ data, shape }: Tensor, kind: ProblemKind): void {
  const [, timeSteps, features] = shape;
  data.forEach((x, i) => {
    const [step, f] = [Math.floor(i / features), i % features];
    if (kind === 'oneHot') data[i] = f === step % features ? 1 : 0;
    else if (kind === 'duplicateRows') data[i] = data[i % (timeSteps * features)];
    else if (kind === 'constantInTime')
      data[i] = data[Math.floor(step / timeSteps) * timeSteps * features + f];
    else if (kind === 'cancelling') data[i] = f % 2 === 0 ? x : data[i - 1];
  });
}

/** { 'a.b': x } as { a: { b: x } } */
function nested(tensors: ReadonlyMap<string, Tensor>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [path, tensor] of tensors) {
    const keys = path.split('.');
    let at = out;
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[keys[keys.length - 1]] = tensor;
  }
  return out;
}
