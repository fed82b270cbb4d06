import type {
  LayerConfig,
  NetworkAnswer,
  NetworkConfig,
  NetworkOptions,
  StackWeights,
  Tensor,
} from '../../../scratch/index';
import { GraphNetwork, loadBackend, TfNetwork, type BackendName } from '../../../src/index';
import { isLayerConfig } from '../../base/model';
import { precisionModelOf, precisionModels, type PrecisionModel } from '../../budget/index';
import type { ModelDescription, ModelLayer, Source } from '../../models/index';
import { Arrivals, type ArrivingAt } from '../arrivals';
import { runLayerBack } from '../reference-back';
import { maskAfter, readOf, runLayer, seenMask, withMaskedRows, type LayerRun } from '../reference';
import {
  AbsentSideError,
  CannotRunError,
  chainsOnly,
  targetsOf,
  type ModelSide,
  type Shown,
  type ShownGradients,
  type SideAnswer,
  type SideQuestion,
} from './side';

/** Of a network of one layer. */
export type LayerOptions = NetworkOptions & { readonly weights: StackWeights };

/** What a network of one layer is asked. */
export interface LayerQuestion {
  /** [B, T] */ readonly mask?: Tensor;
  /** of the one layer */ readonly initialStates?: readonly (readonly Tensor[])[];
  readonly upstream?: { readonly logits?: Tensor; readonly finalStates?: readonly (readonly Tensor[])[] };
}

type Awaitable<T> = T | Promise<T>;

/** A network of one layer, in this process or on another device. */
export interface LayerNetwork {
  predict(inputs: Tensor, question: LayerQuestion): Awaitable<Pick<NetworkAnswer, 'outputs' | 'finalStates'>>;
  run(inputs: Tensor, question: LayerQuestion): Awaitable<Pick<NetworkAnswer, 'gradients'>>;
  dispose(): void;
}

/**
 * Our own networks: every layer with weights as a network of its own, from what the side gave before. What stands between these layers
 * (masking, repeating, softmax ...) is computed by its formula and rounded: it is not shown, as it proves nothing about the side.
 *
 * @param name `graph`: the compiled graph; else the backend of the op-by-op twin
 * @throws AbsentSideError when the backend is not on this machine
 */
export async function openNetworkSide(name: 'graph' | BackendName): Promise<ModelSide> {
  const backend = await loadBackend(name === 'graph' ? 'tensorflow' : name).catch((error: unknown) => {
    throw new AbsentSideError((error as Error).message, { cause: error });
  });
  const create = (options: NetworkOptions): LayerNetwork =>
    name === 'graph'
      ? new GraphNetwork({ backend, loop: 'while', ...options })
      : new TfNetwork({ backend, gradients: 'bptt', ...options });
  const model: PrecisionModel =
    name === 'graph'
      ? precisionModels.tensorflow
      : precisionModelOf({ name: `tfjs:${name}:bptt`, precision: 'float32' });
  return {
    name: name === 'graph' ? 'graph' : `twin:${name}`,
    version: backend.version,
    model,
    run: (question) => runByLayers(create, question),
    train: (question) => {
      if ('model' in question) throw new CannotRunError(chainsOnly);
      const { problem, optimizer, step, slots } = question;
      const { inputs, mask, weights, model: network } = problem;
      const config = network as NetworkConfig;
      const options = { ...config, weights, optimizer };
      const trained =
        name === 'graph'
          ? new GraphNetwork({ backend, ...options })
          : new TfNetwork({ backend, gradients: 'bptt', ...options });
      try {
        trained.setOptimizerState({ config: optimizer, step, slots });
        const { loss } = trained.trainOnBatch(inputs, targetsOf(problem), { ...(mask && { mask }) });
        const { slots: after } = trained.getOptimizerState();
        return { loss, weights: trained.getWeights(), slots: after };
      } finally {
        trained.dispose();
      }
    },
  };
}

/** A layer with weights as a network, and what it read. */
interface Asked {
  readonly input: LayerRun;
  readonly initialStates: readonly Tensor[];
  readonly network?: LayerNetwork;
  /** how many final states it gives */ readonly stateCount?: number;
}

/** Runs a model layer by layer, forward and, where it is asked, backward. */
export async function runByLayers(
  create: (options: LayerOptions) => LayerNetwork,
  { model, inputs, upstream }: SideQuestion,
): Promise<SideAnswer> {
  const runs = new Map<string, LayerRun>(
    model.inputs.map(({ name }) => [name, { output: inputs[name], states: [], mask: undefined }]),
  );
  const asked = new Map<string, Asked>();
  const shown = new Map<string, Shown>();
  const at = ({ of, state }: Source): Tensor => {
    const found = runs.get(of)!;
    return state === undefined ? found.output : found.states[state];
  };
  try {
    for (const layer of model.layers) {
      const initialStates = (layer.initialStates ?? []).map(at);
      const input = readOf(runs, layer);
      const { config } = layer;
      const network = isLayerConfig(config) ? create(optionsOf(config, layer, input.output)) : undefined;
      asked.set(layer.name, { input, initialStates, ...(network && { network }) });
      if (network === undefined) {
        const exact = runLayer(layer, input, initialStates);
        runs.set(layer.name, { ...exact, output: rounded(exact.output) });
        continue;
      }
      const own = await forward(layer, asked.get(layer.name)!);
      asked.set(layer.name, { input, initialStates, network, stateCount: own.states.length });
      shown.set(layer.name, own);
      runs.set(layer.name, own);
    }
    return { layers: shown, ...(upstream && { gradients: await backward(model, asked, upstream) }) };
  } finally {
    for (const { network } of asked.values()) network?.dispose();
  }
}

function optionsOf(config: LayerConfig, { weights }: ModelLayer, { shape }: Tensor): LayerOptions {
  return {
    loss: 'meanSquaredError',
    ...(config.layer !== 'embedding' && { features: shape[shape.length - 1] }),
    layers: [config],
    weights: [weights],
  };
}

async function forward(layer: ModelLayer, { input, initialStates, network }: Asked): Promise<LayerRun> {
  const mask = seenMask(layer, input.mask);
  const given = withTime(layer, input.output);
  const { outputs, finalStates } = await network!.predict(given, {
    ...(mask && { mask }),
    ...(initialStates.length > 0 && { initialStates: [initialStates] }),
  });
  const { config, maskedRows = 'state' } = layer;
  const { data } = outputs;
  const output =
    given === input.output ? outputs : { data, shape: [given.shape[0], data.length / given.shape[0]] };
  return {
    output: mask === undefined ? output : withMaskedRows(config as LayerConfig, output, mask, maskedRows),
    states: finalStates[0],
    mask: maskAfter(layer, input),
  };
}

async function backward(
  model: ModelDescription,
  asked: ReadonlyMap<string, Asked>,
  upstream: NonNullable<SideQuestion['upstream']>,
): Promise<ShownGradients> {
  const arriving = new Arrivals<Tensor>(sumOf);
  for (const { gradient, ...source } of upstream) arriving.send(source, gradient);
  const weights = new Map<string, Readonly<Record<string, Tensor>>>();
  const outputs = new Map<string, Shown>();
  for (const layer of model.layers.toReversed()) {
    const found = arriving.at(layer.name);
    if (found === undefined) continue;
    const one = asked.get(layer.name)!;
    const sent =
      one.network === undefined
        ? runLayerBack(layer, one.input, one.initialStates, found)
        : await backThrough(layer, one, found);
    if (one.network !== undefined) {
      outputs.set(layer.name, found);
      weights.set(layer.name, sent.weights);
    }
    arriving.sendFrom(layer, { input: sent.input && rounded(sent.input), states: sent.states.map(rounded) });
  }
  const inputs = model.inputs.flatMap(({ name }) => {
    const { output } = arriving.at(name) ?? {};
    return output === undefined ? [] : [[name, output] as const];
  });
  return { weights, outputs, inputs: Object.fromEntries(inputs) };
}

async function backThrough(
  layer: ModelLayer,
  { input, initialStates, network, stateCount = 0 }: Asked,
  { output, states }: ArrivingAt<Tensor>,
) {
  const { maskedRows = 'state' } = layer;
  const config = layer.config as LayerConfig;
  const mask = seenMask(layer, input.mask);
  const given = withTime(layer, input.output);
  const here = output && (mask === undefined ? output : withMaskedRows(config, output, mask, maskedRows));
  const { gradients } = await network!.run(given, {
    ...(mask && { mask }),
    ...(initialStates.length > 0 && { initialStates: [initialStates] }),
    upstream: {
      ...(here && {
        logits:
          given === input.output
            ? here
            : { data: here.data, shape: [here.shape[0], 1, here.data.length / here.shape[0]] },
      }),
      ...(states.some((state) => state !== undefined) && {
        finalStates: [Array.from({ length: stateCount }, (_, i) => states[i] ?? zerosLike(states))],
      }),
    },
  });
  const found = gradients?.inputs;
  return {
    weights: gradients?.weights[0] ?? {},
    input: found && { data: found.data, shape: input.output.shape },
    states: gradients?.initialStates[0] ?? [],
  };
}

function zerosLike(states: readonly (Tensor | undefined)[]): Tensor {
  const { shape, data } = states.find((state) => state !== undefined)!;
  return { data: new Float64Array(data.length), shape };
}

/** A layer without a time axis runs on one step. */
function withTime({ config }: ModelLayer, x: Tensor): Tensor {
  const { data, shape } = x;
  return config.layer === 'embedding' || shape.length === 3 ? x : { data, shape: [shape[0], 1, shape[1]] };
}

const rounded = ({ data, shape }: Tensor): Tensor => ({ data: data.map(Math.fround), shape });

function sumOf(a: Tensor | undefined, b: Tensor): Tensor {
  return a === undefined ? b : { data: a.data.map((x, i) => Math.fround(x + b.data[i])), shape: a.shape };
}
