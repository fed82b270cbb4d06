import type { ActivationName, RecurrentConfig, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { version } from '../../base/version';
import type { ModelDescription, ModelLayer, Size, Source } from '../description';
import { inDirection, statesOf, stateWidth } from '../shapes';
import { gateOrders, gatesFromKeras, onnxActivations } from '../gates';
import { attributeTypes, elementTypes, encodeOnnx } from './schema';

/** A model as an ONNX file. */
export interface WrittenOnnx {
  readonly bytes: Buffer;
  /** the tensor with what our layer gives: it has the name of the layer; a final state is `LAYER:state0`, `LAYER:state1`, ... */
  readonly layerOf: ReadonlyMap<string, string>;
}

export interface OnnxOptions {
  /** every layer and final state is an output of the graph; default: only what the model gives */ readonly showAll?: boolean;
}

/** Read by every onnxruntime since 1.14. */
const versions = { ir: 8, opset: 17 };

/**
 * A model as an ONNX graph: inputs [B, T, F] (integers [B, T] of an embedding), a Transpose before and after every LSTM, GRU and RNN,
 * which have the time first.
 *
 * @throws UsageError that names what ONNX has no operation for
 */
export function toOnnx(
  model: ModelDescription,
  where = 'the model',
  { showAll = false }: OnnxOptions = {},
): WrittenOnnx {
  const graph = new GraphWriter();
  const masked = masksOf(model);
  const shown: Source[] = showAll
    ? model.layers.flatMap(({ name, config }) => [
        { of: name },
        ...Array.from({ length: statesOf(config) }, (_, state) => ({ of: name, state })),
      ])
    : [...model.outputs];
  const read = new Set(
    [...shown, ...model.layers.flatMap((layer) => [layer.reads, ...(layer.initialStates ?? [])])].map(
      tensorName,
    ),
  );
  for (const layer of model.layers) writeLayer(graph, layer, { masked, read, where });
  const shapeOf = ({ of, state }: Source): readonly Size[] => {
    const layer = model.layers.find(({ name }) => name === of);
    if (layer === undefined) throw new UsageError(`${where}: an output is the input ${of} itself.`);
    return state === undefined ? layer.output : [stateWidth(layer.config)];
  };
  const bytes = encodeOnnx({
    ir_version: versions.ir,
    producer_name: 'rnn-parity',
    producer_version: version,
    opset_import: [{ domain: '', version: versions.opset }],
    graph: {
      name: 'rnn_parity',
      node: graph.nodes,
      initializer: graph.constants,
      input: model.inputs.map(({ name, shape, vocabulary }) =>
        valueOf(name, shape, vocabulary === undefined ? elementTypes.float32 : elementTypes.int64),
      ),
      output: shown.map((source) => valueOf(tensorName(source), shapeOf(source), elementTypes.float32)),
    },
  });
  return { bytes, layerOf: new Map(model.layers.map(({ name }) => [name, name])) };
}

const tensorName = ({ of, state }: Source): string => (state === undefined ? of : `${of}:state${state}`);

function valueOf(name: string, shape: readonly Size[], elem_type: number): object {
  const dim = ['B', ...shape.map((n, i) => n ?? (i === 0 && shape.length > 1 ? 'T' : `N${i}`))].map((size) =>
    typeof size === 'string' ? { dim_param: size } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type, shape: { dim } } } };
}

type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly f: number }
  | { readonly floats: readonly number[] };

/** Collects nodes and constants; every name is unique because it starts with that of its layer. */
class GraphWriter {
  readonly nodes: object[] = [];
  readonly constants: object[] = [];

  node(
    op_type: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    name = `${output.find((one) => one !== '') ?? ''}/${op_type}`,
  ): void {
    const attribute = Object.entries(attributes).map(([key, value]) => ({
      name: key,
      ...attributeOf(value),
    }));
    this.nodes.push({ op_type, name, input, output, attribute });
  }

  floats(name: string, dims: readonly number[], data: Float64Array): string {
    this.constants.push({
      name,
      dims,
      data_type: elementTypes.float32,
      raw_data: bytesOf(4, data.length, (view, i) => view.setFloat32(4 * i, data[i], true)),
    });
    return name;
  }

  ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    this.constants.push({
      name,
      dims,
      data_type: elementTypes.int64,
      raw_data: bytesOf(8, values.length, (view, i) => view.setBigInt64(8 * i, BigInt(values[i]), true)),
    });
    return name;
  }
}

function bytesOf(width: number, length: number, put: (view: DataView, i: number) => void): Uint8Array {
  const bytes = new Uint8Array(width * length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < length; i++) put(view, i);
  return bytes;
}

function attributeOf(value: AttributeValue): object {
  if (typeof value === 'number') return { type: attributeTypes.i, i: value };
  if (typeof value === 'string') return { type: attributeTypes.s, s: Buffer.from(value) };
  if ('f' in value) return { type: attributeTypes.f, f: value.f };
  if ('floats' in value) return { type: attributeTypes.floats, floats: value.floats };
  if (value.length > 0 && typeof value[0] === 'string')
    return { type: attributeTypes.strings, strings: value.map((text) => Buffer.from(String(text))) };
  return { type: attributeTypes.ints, ints: value };
}

/** Which layers run under a mask. */
function masksOf(model: ModelDescription): ReadonlySet<string> {
  const masked = new Set<string>();
  const under = new Set<string>();
  for (const { name, config, reads, maskedRows } of model.layers) {
    const isMasked = reads.state === undefined && masked.has(reads.of);
    const isRecurrent = statesOf(config) > 0;
    if (isMasked && isRecurrent && maskedRows !== 'unmasked') under.add(name);
    const ends = config.layer === 'repeatVector' || config.layer === 'flatten' || config.layer === 'lastStep';
    const steps =
      config.layer === 'bidirectional'
        ? config.wrapped.returnSequences
        : 'returnSequences' in config && config.returnSequences;
    const begins = config.layer === 'masking' || (config.layer === 'embedding' && config.maskZero === true);
    if (begins || (isMasked && !ends && (!isRecurrent || steps === true))) masked.add(name);
  }
  return under;
}

interface Writing {
  /** layers that run under a mask */ readonly masked: ReadonlySet<string>;
  /** tensors that a layer or the user reads */ readonly read: ReadonlySet<string>;
  readonly where: string;
}

function writeLayer(graph: GraphWriter, layer: ModelLayer, { masked, read, where }: Writing): void {
  const { name, config, weights, reads } = layer;
  const x = tensorName(reads);
  const hasTime = layer.output.length === 2;
  const constant = (own: string): string =>
    graph.floats(`${name}/${own}`, weights[own].shape, weights[own].data);
  if (masked.has(name))
    throw new UsageError(
      `${where}: layer ${name} (${layer.kind}) runs under a mask, which ONNX's operations do not have; convert it without Masking and mask_zero, for inputs without padding.`,
    );
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
    case 'bidirectional':
      writeRecurrent(graph, layer, x, read);
      return;
    case 'dense':
    case 'timeDistributed': {
      const { activation = 'linear', useBias = true } = config.layer === 'dense' ? config : config.wrapped;
      const last = activation === 'linear' ? name : `${name}/before`;
      graph.node('MatMul', [x, constant('kernel')], [useBias ? `${name}/product` : last], {}, name);
      if (useBias) graph.node('Add', [`${name}/product`, constant('bias')], [last]);
      if (activation !== 'linear') writeActivation(graph, activation, last, name);
      return;
    }
    case 'embedding':
      graph.node('Gather', [constant('embeddings'), x], [name], { axis: 0 }, name);
      return;
    case 'repeatVector':
      graph.node('Unsqueeze', [x, graph.ints(`${name}/axis`, [1])], [`${name}/step`]);
      graph.node(
        'Tile',
        [`${name}/step`, graph.ints(`${name}/repeats`, [1, config.times, 1])],
        [name],
        {},
        name,
      );
      return;
    case 'flatten':
      graph.node('Flatten', [x], [name], { axis: 1 }, name);
      return;
    case 'lastStep':
      graph.node('Gather', [x, graph.ints(`${name}/step`, [-1], [])], [name], { axis: 1 }, name);
      return;
    case 'batchNormalization': {
      const [width] = weights['movingMean'].shape;
      const parts = [
        config.scale ? weights['gamma'] : filled(width, 1),
        config.center ? weights['beta'] : filled(width, 0),
        weights['movingMean'],
        weights['movingVariance'],
      ].map((part, i) =>
        graph.floats(`${name}/${['gamma', 'beta', 'mean', 'variance'][i]}`, [width], part.data),
      );
      const [from, to] = hasTime ? [`${name}/featuresFirst`, `${name}/normalized`] : [x, name];
      if (hasTime) graph.node('Transpose', [x], [from], { perm: [0, 2, 1] });
      graph.node('BatchNormalization', [from, ...parts], [to], { epsilon: { f: config.epsilon } }, name);
      if (hasTime) graph.node('Transpose', [to], [name], { perm: [0, 2, 1] });
      return;
    }
    case 'activation':
      if (config.activation === 'softmax') graph.node('Softmax', [x], [name], { axis: -1 }, name);
      else writeActivation(graph, config.activation, x, name, name);
      return;
    case 'masking':
    case 'identity':
      graph.node('Identity', [x], [name]);
      return;
  }
}

const filled = (width: number, value: number): Tensor => ({
  data: new Float64Array(width).fill(value),
  shape: [width],
});

function writeActivation(
  graph: GraphWriter,
  activation: ActivationName,
  x: string,
  out: string,
  called?: string,
): void {
  const { name, alpha, beta } = onnxActivations[activation];
  if (activation === 'linear') graph.node('Identity', [x], [out]);
  else
    graph.node(
      name,
      [x],
      [out],
      {
        ...(alpha !== undefined && { alpha: { f: alpha } }),
        ...(beta !== undefined && { beta: { f: beta } }),
      },
      called,
    );
}

const operators = { simpleRNN: 'RNN', lstm: 'LSTM', gru: 'GRU' } as const;
const merges = { sum: 'ReduceSum', ave: 'ReduceMean', mul: 'ReduceProd' } as const;

/**
 * X [T, B, F], W [D, gates·U, F], R [D, gates·U, U], B [D, 2·gates·U] -> Y [T, D, B, U], final states [D, B, U]; D is 1, or 2 of a
 * bidirectional layer.
 */
function writeRecurrent(graph: GraphWriter, layer: ModelLayer, x: string, read: ReadonlySet<string>): void {
  const { name, config, weights } = layer;
  const cell = (config.layer === 'bidirectional' ? config.wrapped : config) as RecurrentConfig;
  const directions = config.layer === 'bidirectional' ? ['forward', 'backward'] : [''];
  const own = (direction: string, weight: string): Tensor =>
    weights[direction === '' ? weight : inDirection(direction, weight)];
  const { units, returnSequences = false, useBias = true, goBackwards = false } = cell;
  const order = gateOrders.onnx[cell.layer];
  const stacked = (weight: string, parts: (direction: string) => readonly Float64Array[], shape: number[]) =>
    graph.floats(`${name}/${weight}`, shape, joined(directions.flatMap(parts)));
  const rows = order.length * units;
  const [features] = own(directions[0], 'kernel').shape;
  const W = stacked('W', (d) => [gatesFromKeras(own(d, 'kernel'), order).data], [
    directions.length,
    rows,
    features,
  ]);
  const R = stacked('R', (d) => [gatesFromKeras(own(d, 'recurrentKernel'), order).data], [
    directions.length,
    rows,
    units,
  ]);
  const biases = (direction: string): Float64Array[] => {
    const bias = own(direction, 'bias');
    const part = (row: number): Float64Array =>
      row * rows < bias.data.length
        ? gatesFromKeras({ data: bias.data.slice(row * rows, (row + 1) * rows), shape: [rows] }, order).data
        : new Float64Array(rows);
    return [part(0), part(1)];
  };
  const B = useBias ? stacked('B', biases, [directions.length, 2 * rows]) : '';

  const perDirection = statesOf(cell);
  const initial = Array.from({ length: perDirection }, (_, k) => {
    const states = layer.initialStates;
    if (states === undefined) return '';
    const parts = directions.map((direction, d) => {
      const made = `${name}/${direction}initial${k}`;
      graph.node(
        'Unsqueeze',
        [tensorName(states[d * perDirection + k]), graph.ints(`${made}/axis`, [0])],
        [made],
      );
      return made;
    });
    if (parts.length === 1) return parts[0];
    graph.node('Concat', parts, [`${name}/initial${k}`], { axis: 0 });
    return `${name}/initial${k}`;
  });
  graph.node('Transpose', [x], [`${name}/timeFirst`], { perm: [1, 0, 2] });
  const all = `${name}/all`;
  const final = ['h', 'c'].slice(0, perDirection).map((state) => `${name}/final_${state}`);
  const inputs = [`${name}/timeFirst`, W, R, B, '', ...initial];
  while (inputs[inputs.length - 1] === '') inputs.pop();
  graph.node(
    operators[cell.layer],
    inputs,
    [returnSequences ? all : '', ...final],
    {
      hidden_size: units,
      direction: directions.length === 2 ? 'bidirectional' : goBackwards ? 'reverse' : 'forward',
      ...activationAttributes(cell, directions.length),
      ...(cell.layer === 'gru' && { linear_before_reset: cell.resetAfter === false ? 0 : 1 }),
    },
    name,
  );

  directions.forEach((_, d) => {
    final.forEach((state, k) => {
      const to = `${name}:state${d * perDirection + k}`;
      if (!read.has(to)) return;
      graph.node('Gather', [state, graph.ints(`${to}/direction`, [d], [])], [to], { axis: 0 });
    });
  });
  const from = returnSequences ? all : final[0];
  const axis = returnSequences ? 1 : 0;
  if (config.layer !== 'bidirectional') {
    graph.node(
      'Squeeze',
      [from, graph.ints(`${name}/axis`, [axis])],
      [returnSequences ? `${name}/steps` : name],
    );
    if (!returnSequences) return;
    // ONNX leaves the steps of a layer that goes backwards where they were read, Keras in the order in which it ran
    if (goBackwards) {
      const [starts, ends, axes, steps] = [[-1], [-(2 ** 31)], [0], [-1]].map((value, i) =>
        graph.ints(`${name}/${['starts', 'ends', 'axes', 'strides'][i]}`, value),
      );
      graph.node('Slice', [`${name}/steps`, starts, ends, axes, steps], [`${name}/turned`]);
    }
    graph.node('Transpose', [goBackwards ? `${name}/turned` : `${name}/steps`], [name], { perm: [1, 0, 2] });
    return;
  }
  const { mergeMode = 'concat' } = config;
  if (mergeMode === 'concat') {
    // [T, 2, B, U] -> [B, T, 2, U] -> [B, T, 2U]; [2, B, U] -> [B, 2, U] -> [B, 2U]
    graph.node('Transpose', [from], [`${name}/sides`], { perm: returnSequences ? [2, 0, 1, 3] : [1, 0, 2] });
    const shape = graph.ints(`${name}/shape`, returnSequences ? [0, 0, 2 * units] : [0, 2 * units]);
    graph.node('Reshape', [`${name}/sides`, shape], [name]);
    return;
  }
  const merged = returnSequences ? `${name}/merged` : name;
  // ReduceSum has its axes as an input since opset 13, the others since 18
  const isInput = mergeMode === 'sum';
  graph.node(merges[mergeMode], isInput ? [from, graph.ints(`${name}/axis`, [axis])] : [from], [merged], {
    keepdims: 0,
    ...(!isInput && { axes: [axis] }),
  });
  if (returnSequences) graph.node('Transpose', [merged], [name], { perm: [1, 0, 2] });
}

/** ONNX's functions f (gates), g, h by cell; alpha and beta stand in lists of those that have them. */
function activationAttributes(cell: RecurrentConfig, directions: number): Record<string, AttributeValue> {
  const { activation = 'tanh' } = cell;
  const gate = cell.layer === 'simpleRNN' ? [] : [cell.recurrentActivation ?? 'sigmoid'];
  const one = [...gate, activation, ...(cell.layer === 'lstm' ? [activation] : [])];
  const all = Array.from({ length: directions }, () => one)
    .flat()
    .map((name) => onnxActivations[name]);
  const numbers = (of: 'alpha' | 'beta'): readonly number[] =>
    all.flatMap((function_) => (function_[of] === undefined ? [] : [function_[of]]));
  const [alpha, beta] = [numbers('alpha'), numbers('beta')];
  return {
    activations: all.map(({ name }) => name),
    ...(alpha.length > 0 && { activation_alpha: { floats: alpha }, activation_beta: { floats: beta } }),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
