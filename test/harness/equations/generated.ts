import { createRandom, type Random, type Tensor } from '../../../scratch/index';
import { distort, problemKinds, type ProblemTensors } from '../../../harness/problems/distort';
import { draw } from '../../../harness/problems/generated';
import {
  expectedTensors,
  isRecurrent,
  type Network,
  type NetworkProblem,
} from '../../../harness/equations/network';
import type { Cell } from '../../../harness/equations/cell';

/** The kinds of problems that are fuzzed, and inputs 30 times as large as usual. */
export const testedKinds = [...problemKinds, 'wide'] as const;

export interface GeneratedOptions {
  readonly batch?: number;
  readonly timeSteps?: number;
  readonly kind?: (typeof testedKinds)[number];
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
    tensors.set(path, fill(path, shape, scale, random));
  }
  const roles = byRole(network, tensors);
  if (kind !== 'wide') distort(kind, random, scale, roles);
  else for (const { data } of roles.inputs) data.set(data.map((x) => 30 * x));
  for (const { data } of tensors.values()) data.set(data.map(Math.fround));
  const { head } = network;
  const rows = head?.on === 'steps' ? batch * timeSteps : batch;
  const labelled = head?.loss === 'softmax' && options.labelled !== false;
  return {
    ...(nested(tensors) as unknown as NetworkProblem),
    ...(labelled && { labels: Array.from({ length: rows }, () => random.integer(head.classes)) }),
  };
}

/** Gaussian numbers; a mask has ones for 3 steps of 4, targets are 0, 1/2 or 1. */
function fill(path: string, shape: readonly number[], scale: number, random: Random): Tensor {
  if (path === 'mask') return draw(shape, () => (random.integer(4) > 0 ? 1 : 0));
  if (path === 'targets') return draw(shape, () => random.integer(3) / 2);
  const isMatrix = shape.length === 2;
  const ofWeight = isMatrix ? scale / Math.sqrt(shape[0]) : Math.min(scale, 0.5);
  const deviation = path.startsWith('weights') ? ofWeight : path === 'inputs' ? 1 : 0.5;
  return draw(shape, () => deviation * random.normal());
}

/** The tensors by what they do: a kernel has a row for every input of its layer, a recurrent kernel for every unit. */
function byRole({ layers }: Network, tensors: ReadonlyMap<string, Tensor>): ProblemTensors {
  const weights = (is: (rows: readonly string[] | undefined) => boolean): Tensor[] =>
    layers.filter(isRecurrent).flatMap(({ name, cell }) =>
      Object.entries(cell.weights)
        .filter(([, { rows }]) => is(rows))
        .flatMap(([weight]) => tensors.get(`weights.${name}.${weight}`) ?? []),
    );
  const some = (path: string): Tensor[] => [tensors.get(path) ?? []].flat();
  return {
    inputs: some('inputs'),
    kernels: weights((rows) => rows?.includes('F') === true),
    recurrentKernels: weights((rows) => rows?.includes('F') === false),
    biases: weights((rows) => rows === undefined),
    outputKernels: some('weights.head.kernel'),
    outputBiases: some('weights.head.bias'),
  };
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
