import type { ActivationName, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { version } from '../../base/version';
import type { ModelDescription, ModelLayer, Size, Source } from '../description';
import { maskedLayers, stateCount, stateWidth } from '../shapes';
import { onnxActivations } from '../gates';
import { GraphWriter, tensorName, type Attributes } from './graph-writer';
import { elementTypes, encodeOnnx } from './schema';
import { writeRecurrent } from './write-recurrent';

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
): Buffer {
  const graph = new GraphWriter();
  const reached = maskedLayers(model);
  const isSeen = ({ name, maskedRows }: ModelLayer): boolean =>
    reached.has(name) && maskedRows !== 'unmasked';
  const masked = new Set(model.layers.filter(isSeen).map(({ name }) => name));
  const shown: Source[] = showAll
    ? model.layers.flatMap(({ name, config }) => [
        { of: name },
        ...Array.from({ length: stateCount(config) }, (_, state) => ({ of: name, state })),
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
    if (layer === undefined)
      throw new UsageError(
        `${where}: an output is the input ${of} itself, which no operation gives; take it out of the outputs of the model.`,
      );
    return state === undefined ? layer.output : [stateWidth(layer.config)];
  };
  return encodeOnnx({
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
}

function valueOf(name: string, shape: readonly Size[], elem_type: number): object {
  const dim = ['B', ...shape.map((n, i) => n ?? (i === 0 && shape.length > 1 ? 'T' : `N${i}`))].map((size) =>
    typeof size === 'string' ? { dim_param: size } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type, shape: { dim } } } };
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
  /** the operation that gives what the layer gives */
  const node = (kind: string, input: readonly string[], attributes: Attributes = {}): void => {
    graph.node(kind, input, [name], attributes, name);
  };
  if (masked.has(name))
    throw new UsageError(
      `${where}: layer ${name} (${layer.kind}) runs under a mask, which ONNX's operations do not have; convert it without Masking and mask_zero, for inputs without padding.`,
    );
  switch (config.layer) {
    case 'dense':
    case 'timeDistributed': {
      const { activation = 'linear', useBias = true } = config.layer === 'dense' ? config : config.wrapped;
      const last = activation === 'linear' ? name : `${name}/before`;
      graph.node('MatMul', [x, constant('kernel')], [useBias ? `${name}/product` : last], {}, name);
      if (useBias) graph.node('Add', [`${name}/product`, constant('bias')], [last]);
      if (activation !== 'linear') writeActivation(graph, activation, last, name);
      break;
    }
    case 'embedding':
      node('Gather', [constant('embeddings'), x], { axis: 0 });
      break;
    case 'repeatVector':
      graph.node('Unsqueeze', [x, graph.ints(`${name}/axis`, [1])], [`${name}/step`]);
      node('Tile', [`${name}/step`, graph.ints(`${name}/repeats`, [1, config.times, 1])]);
      break;
    case 'flatten':
      node('Flatten', [x], { axis: 1 });
      break;
    case 'lastStep':
      node('Gather', [x, graph.ints(`${name}/step`, [-1], [])], { axis: 1 });
      break;
    case 'batchNormalization': {
      const [width] = weights['movingMean'].shape;
      const { gamma = filled(width, 1), beta = filled(width, 0), movingMean, movingVariance } = weights;
      const parts = Object.entries({ gamma, beta, mean: movingMean, variance: movingVariance }).map(
        ([part, { data }]) => graph.floats(`${name}/${part}`, [width], data),
      );
      const [from, to] = hasTime ? [`${name}/featuresFirst`, `${name}/normalized`] : [x, name];
      if (hasTime) graph.node('Transpose', [x], [from], { perm: [0, 2, 1] });
      graph.node('BatchNormalization', [from, ...parts], [to], { epsilon: { f: config.epsilon } }, name);
      if (hasTime) graph.node('Transpose', [to], [name], { perm: [0, 2, 1] });
      break;
    }
    case 'activation':
      if (config.activation === 'softmax') node('Softmax', [x], { axis: -1 });
      else writeActivation(graph, config.activation, x, name, name);
      break;
    case 'masking':
    case 'identity':
      // zeros stay zeros; a layer that runs under it is refused by its own name
      if (config.layer === 'masking' && masked.size === 0 && config.maskValue !== 0)
        throw new UsageError(
          `${where}: layer ${name} (${layer.kind}) sets masked steps to zeros, which is not written for ONNX; convert it without Masking, for inputs without padding.`,
        );
      graph.node('Identity', [x], [name]);
      break;
    default:
      writeRecurrent(graph, layer, x, read);
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
