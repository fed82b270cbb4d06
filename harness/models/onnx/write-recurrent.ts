import type { RecurrentConfig, Tensor } from '../../../scratch/index';
import { directions as bothDirections, nameIn } from '../../base/model';
import { concatenated } from '../../base/tensor-moves';
import type { ModelLayer } from '../description';
import { gateOrders, gatesFromKeras, onnxActivations } from '../gates';
import { stateCount } from '../shapes';
import { tensorName, type Attributes, type GraphWriter } from './graph-writer';

type Direction = (typeof bothDirections)[number] | '';

const operators = { simpleRNN: 'RNN', lstm: 'LSTM', gru: 'GRU' } as const;
const merges = { sum: 'ReduceSum', ave: 'ReduceMean', mul: 'ReduceProd' } as const;

/**
 * X [T, B, F], W [D, gates·U, F], R [D, gates·U, U], B [D, 2·gates·U] -> Y [T, D, B, U], final states [D, B, U]; D is 1, or 2 of a
 * bidirectional layer.
 */
export function writeRecurrent(
  graph: GraphWriter,
  layer: ModelLayer,
  x: string,
  read: ReadonlySet<string>,
): void {
  const { name, config, weights } = layer;
  const cell = (config.layer === 'bidirectional' ? config.wrapped : config) as RecurrentConfig;
  const directions: readonly Direction[] = config.layer === 'bidirectional' ? bothDirections : [''];
  const { units, returnSequences = false, useBias = true, goBackwards = false } = cell;
  const order = gateOrders.onnx[cell.layer];
  /** [D, ...]: a weight of every direction */
  const stacked = (called: string, weight: string, convert: (tensor: Tensor) => Tensor): string => {
    const parts = directions.map((direction) => {
      const own = convert(weights[direction === '' ? weight : nameIn(direction, weight)]);
      return { ...own, shape: [1, ...own.shape] };
    });
    const { data, shape } = concatenated(parts, 0);
    return graph.floats(`${name}/${called}`, shape, data);
  };
  const W = stacked('W', 'kernel', (kernel) => gatesFromKeras(kernel, order));
  const R = stacked('R', 'recurrentKernel', (kernel) => gatesFromKeras(kernel, order));
  // the second row of Keras's bias is the recurrent one, which is zero where there is none
  const twoBiases = ({ data, shape }: Tensor): Tensor => {
    const one = order.length * units;
    const both = shape.length === 2 ? data : Float64Array.from({ length: 2 * one }, (_, i) => data[i] ?? 0);
    const rows = [both.subarray(0, one), both.subarray(one)];
    return concatenated(
      rows.map((row) => gatesFromKeras({ data: row, shape: [one] }, order)),
      0,
    );
  };
  const B = useBias ? stacked('B', 'bias', twoBiases) : '';

  const perDirection = stateCount(cell);
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
function activationAttributes(cell: RecurrentConfig, directions: number): Attributes {
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
