import { UsageError } from '../../base/outcome';
import type { ModelPlan, PlannedLayer } from '../assemble';
import type { Size, Source } from '../description';
import { asObject, show, type Json } from '../json';
import { maskMakers, stateCount } from '../shapes';
import {
  inboundOf,
  isCalledTraining,
  isMaskOf,
  maskOperations,
  sourcesIn,
  type GraphNode,
  type Inbound,
} from './inbound';
import { checkOrigin, readLayer, type ReadLayer } from './layers';
import { changeIt, saveAgain, type Dialect, type Refuse } from './options';

/** A layer of Keras before its weights are known. */
export type KerasLayer = PlannedLayer & ReadLayer;

export interface Topology extends ModelPlan<KerasLayer> {
  /** every layer of the file by its class, in its order: Keras 3 counts them to name weights */
  readonly all: readonly { readonly name: string; readonly kind: string }[];
}

interface FoundLayer extends GraphNode {
  /** with its module and registered name, where the file says them */ readonly origin: Json;
}

/**
 * Reads the configuration of a Keras or TensorFlow.js model: a Sequential, or a graph of layers each used once.
 *
 * @param until reads only what comes before the layer of this name
 * @throws UsageError that names the first layer or option that is not read
 */
export function readTopology(file: unknown, dialect: Dialect, where: string, until?: string): Topology {
  const refuse: Refuse = (what, advice = changeIt) => new UsageError(`${where}: ${what}; ${advice}.`);
  const model = asObject(asObject(file)['model_config'] ?? file);
  const kind = model['class_name'];
  if (kind !== 'Sequential' && kind !== 'Model' && kind !== 'Functional')
    throw refuse(
      `the model is ${show(kind)}, where a Sequential or a Functional model of layers was expected`,
      'make it of layers, and save it again',
    );
  const config = model['config'];
  const list: unknown = Array.isArray(config) ? config : asObject(config)['layers'];
  if (!Array.isArray(list) || list.length === 0) throw refuse('the model has no list of layers', saveAgain);
  const found = list.map((entry: unknown, i): FoundLayer => {
    const layer = asObject(entry);
    const options = asObject(layer['config']);
    const called = layer['name'] ?? options['name'];
    const name = typeof called === 'string' ? called : `layer ${i + 1}`;
    const { class_name: what, inbound_nodes: inbound } = layer;
    return { kind: String(what), name, options, origin: layer, inbound };
  });
  const twice = found.find(({ name }, i) => found.findIndex((one) => one.name === name) < i);
  if (twice !== undefined)
    throw refuse(`two layers are named ${twice.name}`, 'rename one, and save the model again');
  const cut = until === undefined ? found.length : found.findIndex(({ name }) => name === until);
  if (cut < 0)
    throw new UsageError(
      `${where} has no layer ${String(until)} for --until; its layers are ${found.map(({ name }) => name).join(', ')}.`,
    );
  const all = found.map(({ name, kind: what }) => ({ name, kind: what }));
  const kept = found.slice(0, cut);
  const isChain = kind === 'Sequential';
  const operations = isChain ? new Map<string, FoundLayer>() : maskOperations(kept, refuse);
  const [given, connected] = isChain ? chain(kept, refuse) : graph(kept, operations, refuse);
  const masks = new Map(connected.map(({ layer, mask }) => [layer.name, mask]));
  const layers = planned(given, connected, dialect, refuse);
  checkMasks(layers, masks, operations, refuse);
  if (layers.length === 0)
    throw until === undefined
      ? refuse('the model has no layer that is run', 'add one, and save it again')
      : refuse(`nothing comes before ${until}`, 'give a later layer with --until');
  const last: Source = { of: layers[layers.length - 1].name };
  const named =
    isChain || until !== undefined
      ? [last]
      : sourcesIn(asObject(config)['output_layers'], 'its outputs', refuse);
  if (named.length === 0) throw refuse('the model names no outputs', saveAgain);
  const notes = until === undefined ? [] : [`only what comes before the layer ${until} was read`];
  const order = isChain
    ? []
    : sourcesIn(asObject(config)['input_layers'], 'its inputs', refuse).map(({ of }) => of);
  const inputs = given.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return {
    ...{ inputs, layers, outputs: named, all },
    notes: [...notes, ...layers.flatMap((layer) => layer.notes ?? [])],
  };
}

/** A layer and what it reads. */
type Connected = { readonly layer: FoundLayer } & Inbound;

/** Layer after layer; the shape of the inputs stands in an InputLayer or in the first layer. */
function chain(found: readonly FoundLayer[], refuse: Refuse): [Topology['inputs'], Connected[]] {
  const first = found.at(0);
  if (first === undefined)
    throw refuse('nothing comes before the first layer', 'give a later layer with --until');
  const isInput = first.kind === 'InputLayer';
  const input = { name: isInput ? first.name : 'input', shape: inputShape(first, refuse) };
  const layers = found.slice(isInput ? 1 : 0);
  const before = (i: number): string => (i === 0 ? input.name : layers[i - 1].name);
  return [[input], layers.map((layer, i) => ({ layer, sources: [{ of: before(i) }] }))];
}

/** Layers that name what they read. */
function graph(
  found: readonly FoundLayer[],
  operations: ReadonlyMap<string, FoundLayer>,
  refuse: Refuse,
): [Topology['inputs'], Connected[]] {
  const inputs: { name: string; shape: readonly Size[] }[] = [];
  const layers: Connected[] = [];
  for (const layer of found) {
    if (layer.kind === 'InputLayer') inputs.push({ name: layer.name, shape: inputShape(layer, refuse) });
    else if (!operations.has(layer.name)) layers.push({ layer, ...inboundOf(layer, refuse) });
  }
  return [inputs, layers];
}

/** Layers in an order in which they can run. */
function planned(
  inputs: Topology['inputs'],
  waiting: Connected[],
  dialect: Dialect,
  refuse: Refuse,
): KerasLayer[] {
  const layers: KerasLayer[] = [];
  const known = new Set(inputs.map(({ name }) => name));
  while (waiting.length > 0) {
    const at = waiting.findIndex(({ sources }) => sources.every(({ of }) => known.has(of)));
    if (at < 0) {
      const [{ layer, sources }] = waiting;
      throw refuse(
        `layer ${layer.name} reads ${sources.map(({ of }) => of).join(', ')}, which is not computed before it`,
        saveAgain,
      );
    }
    const [{ layer, sources, mask }] = waiting.splice(at, 1);
    const [reads, ...states] = sources;
    layers.push(plan(layer, reads, states, dialect, refuse, mask !== undefined));
    known.add(layer.name);
  }
  return layers;
}

/** A mask that a layer is given must be the one that reaches it anyway. */
function checkMasks(
  layers: readonly KerasLayer[],
  masks: ReadonlyMap<string, string | undefined>,
  operations: ReadonlyMap<string, FoundLayer>,
  refuse: Refuse,
): void {
  const makers = maskMakers({ layers });
  for (const { name, kind } of layers) {
    const mask = masks.get(name);
    const maker = layers.find((one) => one.name === makers.get(name));
    if (mask !== undefined && (maker === undefined || !isMaskOf(mask, operations, maker)))
      throw refuse(
        `layer ${name} (${kind}) gets a mask of its own (${mask})${maker === undefined ? ', where none reaches it from a layer before' : `, which is not that of the layer ${maker.name}`}; masks that Masking and Embedding layers pass on are read`,
      );
  }
}

function plan(
  { kind, name, options, origin, inbound }: FoundLayer,
  reads: Source,
  states: readonly Source[],
  dialect: Dialect,
  refuse: Refuse,
  hasMask = false,
): KerasLayer {
  checkOrigin(origin, `layer ${name}`, refuse);
  const read = readLayer(kind, name, options, dialect, refuse);
  // Keras 3 passes training=False when predicting, whatever the call said
  if (isCalledTraining(inbound) && !(dialect.program === 'keras' && dialect.major === 3))
    throw refuse(
      `layer ${name} (${kind}) is called with training=True, so that it drops out, adds noise or takes the means of the batch when predicting as well`,
    );
  const carries = stateCount(read.config);
  if (states.length > 0 && states.length !== carries)
    throw refuse(
      `layer ${name} (${kind}) reads ${states.length + 1} tensors, where 1 was expected${carries > 0 ? `, or 1 and ${carries} initial states` : ''}`,
    );
  if (states.length === 0) return { ...read, name, kind, reads };
  // Keras 3 looks for a mask of its own for each of several tensors, and finds none: the layer runs without
  const isUnmasked = dialect.program === 'keras' && dialect.major === 3 && !hasMask;
  return { ...read, name, kind, reads, initialStates: states, ...(isUnmasked && { maskedRows: 'unmasked' }) };
}

/** The shape of one example: of an InputLayer, or of a first layer that says it. */
function inputShape({ name, options }: FoundLayer, refuse: Refuse): Size[] {
  const whole = options['batch_shape'] ?? options['batch_input_shape'] ?? options['batchInputShape'];
  const one = options['input_shape'] ?? options['inputShape'] ?? options['shape'];
  const { input_dim: width, input_length: length } = options;
  const shape = Array.isArray(whole) ? whole.slice(1) : Array.isArray(one) ? one : undefined;
  if (shape === undefined && typeof width === 'number' && options['output_dim'] === undefined)
    return sizes([length ?? null, width], name, refuse);
  if (shape === undefined && options['output_dim'] !== undefined)
    return sizes([length ?? null], name, refuse);
  if (shape === undefined)
    throw refuse(
      `the shape of the inputs is missing: layer ${name} has no batch_input_shape, batch_shape or input_shape`,
      'begin the model with keras.Input, and save it again',
    );
  return sizes(shape as unknown[], name, refuse);
}

function sizes(shape: readonly unknown[], name: string, refuse: Refuse): Size[] {
  const isSize = (n: unknown): boolean => n === null || (Number.isSafeInteger(n) && (n as number) >= 1);
  if (shape.length < 1 || shape.length > 2 || !shape.every(isSize))
    throw refuse(
      `the inputs of ${name} have shape ${show(shape)} (without the batch), where [T, F], [T] or [F] was expected`,
    );
  return shape as Size[];
}
