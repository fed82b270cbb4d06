import { transposed } from '../../base/tensor-moves';
import type { Tensor } from '../../../scratch/index';
import { mergedDirections } from './graph-reader';
import { featuresOf, unify, type Operation, type Step } from './step';
import { pick } from './positions';
import { activationNamed, readRecurrent } from './recurrent';
import type { Constant } from './tensors';
import { inWords, zeros, type Axis, type Signal, type Value } from './values';

const activation =
  (name: string): Operation =>
  (step) => {
    const signal = step.signal(0);
    const has = name === 'HardSigmoid';
    const own = activationNamed(
      name,
      has ? step.number('alpha', 0.2) : undefined,
      has ? step.number('beta', 0.5) : undefined,
      step,
    );
    return step.layer(signal, { layer: 'activation', activation: own });
  };
/** Operations that become layers. */
export const layerOperations: Readonly<Record<string, Operation>> = {
  ...{ LSTM: readRecurrent, GRU: readRecurrent, RNN: readRecurrent },
  ...{ Tanh: activation('Tanh'), Sigmoid: activation('Sigmoid'), Relu: activation('Relu') },
  HardSigmoid: activation('HardSigmoid'),
  Softmax(step) {
    const signal = step.signal(0);
    const axis = step.number('axis', step.graph.opset < 13 ? 1 : -1);
    const last = signal.axes.length - 1;
    if (axis !== -1 && axis !== last) throw step.refuse(`has axis ${axis}, where the last one was expected`);
    featuresOf(signal, step);
    return step.layer(signal, { layer: 'activation', activation: 'softmax' });
  },
  MatMul(step) {
    const signal = step.signal(0);
    const kernel = step.constant(1, 'the matrix');
    return dense(step, signal, kernel, undefined);
  },
  Gemm(step) {
    const signal = step.signal(0);
    if (step.number('transA', 0) !== 0 || step.number('alpha', 1) !== 1 || step.number('beta', 1) !== 1)
      throw step.refuse('has transA, alpha or beta');
    const given = step.constant(1, 'the matrix');
    const kernel = step.number('transB', 0) === 0 ? given : transposed(given, [1, 0]);
    const bias = step.input(2) === undefined ? undefined : step.constant(2, 'the bias');
    return dense(step, signal, kernel, bias);
  },
  Gather(step) {
    const value = step.input(0);
    const [axis] = [step.number('axis', 0)];
    if (value?.kind === 'constant' && step.input(1)?.kind === 'signal') return embedding(step, value, axis);
    const index = step.constant(1, 'the positions');
    return pick(step, value, axis, Array.from(index.data), index.shape.length === 0);
  },
  Flatten(step) {
    const signal = step.signal(0);
    if (step.number('axis', 1) !== 1) throw step.refuse('has another axis than 1');
    return flattened(step, signal);
  },
  Expand: (step) => (step.input(0)?.kind === 'constant' ? zerosOnly(step) : repeated(step, step.shape(1))),
  Tile(step) {
    const [value, times] = [step.input(0), step.shape(1)];
    if (value?.kind === 'pile' && times.some((n, i) => i !== value.at && n !== 1))
      throw step.refuse('repeats more than one axis');
    return repeated(step, times);
  },
  ReduceSum: (step) => reduced(step, 'sum'),
  ReduceMean: (step) => reduced(step, 'ave'),
  ReduceProd: (step) => reduced(step, 'mul'),
  Add: (step) => {
    const [a, b] = [step.input(0), step.input(1)];
    if (a?.kind === 'signal' && b?.kind === 'signal') return bothDirections(step, a, b, 'sum');
    return affine(step, (x) => ({ beta: x }));
  },
  Sub: (step) => {
    if (step.input(0)?.kind !== 'signal') throw step.refuse(`subtracts from ${inWords(step.input(0))}`);
    return affine(step, (x) => ({ beta: { ...x, data: x.data.map((value) => -value) } }));
  },
  Mul: (step) => {
    const [a, b] = [step.input(0), step.input(1)];
    if (a?.kind === 'signal' && b?.kind === 'signal') return bothDirections(step, a, b, 'mul');
    return affine(step, (x) => ({ gamma: x }));
  },
  Div: (step) => {
    if (step.input(0)?.kind !== 'signal') throw step.refuse(`divides ${inWords(step.input(0))}`);
    return affine(step, (x) => ({ gamma: { ...x, data: x.data.map((value) => 1 / value) } }));
  },
  BatchNormalization(step) {
    const signal = step.signal(0);
    if (step.number('training_mode', 0) !== 0) throw step.refuse('is in training mode');
    const features = signal.axes.at(1);
    if (features === undefined || signal.axes.length > 3 || (features.role ?? 'features') !== 'features')
      throw step.refuse(`reads ${inWords(signal)}, where the features on the second axis were expected`);
    features.role = 'features';
    const [gamma, beta, movingMean, movingVariance] = [1, 2, 3, 4].map((i) =>
      vector(step, step.constant(i, 'a weight'), features),
    );
    const epsilon = step.number('epsilon', 1e-5);
    const config = { layer: 'batchNormalization', epsilon, center: true, scale: true } as const;
    return step.layer(signal, config, { gamma, beta, movingMean, movingVariance });
  },
};

/** y = x W + b, for every row alike. */
function dense(step: Step, signal: Signal, kernel: Constant, bias: Constant | undefined): Signal {
  const features = featuresOf(signal, step);
  const [inputs, units] = kernel.shape;
  const isFit = kernel.shape.length === 2 && (features.size === null || features.size === inputs);
  const flat = bias && { ...bias, shape: [bias.data.length] };
  if (!isFit || (flat !== undefined && flat.data.length !== units))
    throw step.refuse(`multiplies ${features.size ?? 'any'} features by [${kernel.shape.join(', ')}]`);
  features.size = inputs;
  const config = { layer: 'dense', units, useBias: flat !== undefined } as const;
  return step.layer(signal, config, { kernel, ...(flat && { bias: flat }) }, [
    ...signal.axes.slice(0, -1),
    { role: 'features', size: units },
  ]);
}

function embedding(step: Step, table: Constant, axis: number): Signal {
  const signal = step.signal(1);
  if (axis !== 0 || table.shape.length !== 2 || signal.axes.length !== 2 || !('source' in signal.from))
    throw step.refuse(
      `looks up ${inWords(signal)} in [${table.shape.join(', ')}], where integers [B, T] in a table were expected`,
    );
  const [inputDim, outputDim] = table.shape;
  const config = { layer: 'embedding', inputDim, outputDim } as const;
  const axes: Axis[] = [...signal.axes, { role: 'features', size: outputDim }];
  return step.layer(signal, config, { embeddings: table }, axes);
}

function bothDirections(step: Step, a: Signal, b: Signal, merge: 'sum' | 'mul'): Signal {
  const merged = mergedDirections([a, b], merge);
  if (merged === undefined)
    throw step.refuse('joins two layers, where the two directions of one were expected');
  return merged;
}

function reduced(step: Step, merge: 'sum' | 'ave' | 'mul'): Value {
  const axes = step.integers(1, 'axes');
  const value = step.pile(axes?.length === 1 ? axes[0] : undefined, 'reduces');
  const merged = mergedDirections(value.parts, merge);
  if (merged === undefined) throw step.refuse('reduces something else than the two directions of a layer');
  return step.number('keepdims', 1) === 0 ? merged : { kind: 'pile', parts: [merged], at: value.at };
}

/** A constant of one number or one for each feature: a bias, or an affine map as a batch normalization has it. */
function affine(
  step: Step,
  make: (x: Tensor) => { readonly gamma?: Tensor; readonly beta?: Tensor },
): Signal {
  const at = step.input(0)?.kind === 'signal' ? 0 : 1;
  const signal = step.signal(at);
  const features = featuresOf(signal, step);
  const { gamma, beta } = make(vector(step, step.constant(1 - at, 'the other part'), features));
  const { from } = signal;
  if (gamma?.data.every((x) => x === 0.5) === true && 'merge' in from && from.merge === 'sum')
    return { ...signal, from: { ...from, merge: 'ave' } };
  const before =
    'source' in from && from.source.state === undefined ? step.graph.find(from.source.of) : undefined;
  if (
    beta !== undefined &&
    before?.config.layer === 'dense' &&
    before.config.useBias === false &&
    step.isOnlyReader(at)
  ) {
    before.config = { ...before.config, useBias: true };
    before.weights = { ...before.weights, bias: beta };
    return signal;
  }
  const width = (gamma ?? beta)!.data.length;
  const filled = (x: number): Tensor => ({ data: new Float64Array(width).fill(x), shape: [width] });
  const [center, scale] = [beta !== undefined, gamma !== undefined];
  const config = { layer: 'batchNormalization', epsilon: 0, center, scale } as const;
  const weights = {
    ...(gamma && { gamma }),
    ...(beta && { beta }),
    movingMean: filled(0),
    movingVariance: filled(1),
  };
  return step.layer(signal, config, weights);
}

/** One number for each feature. */
function vector(step: Step, { data, shape }: Constant, features: Axis): Tensor {
  const width = features.size ?? data.length;
  const isFit = data.length === 1 || (data.length === width && shape[shape.length - 1] === width);
  if (!isFit || width > 2 ** 24)
    throw step.refuse(`has a constant [${shape.join(', ')}] for ${features.size ?? 'any'} features`);
  features.size = width;
  return { data: data.length === width ? data : new Float64Array(width).fill(data[0]), shape: [width] };
}

function zerosOnly(step: Step): Value {
  const value = step.constant(0, 'the numbers');
  if (!value.data.every((x) => x === 0)) throw step.refuse('repeats a constant that is not 0');
  return zeros;
}

/** [B, 1, N] n times along the axis of size 1. */
function repeated(step: Step, shape: readonly (number | Axis)[]): Value {
  const value = step.input(0);
  if (value?.kind === 'zeros') return value;
  const times = value?.kind === 'pile' ? shape.at(value.at) : undefined;
  const isRow = value?.kind === 'pile' && value.parts.length === 1 && value.parts[0].axes.length === 2;
  if (!isRow || shape.length !== 3 || typeof times !== 'number' || !Number.isSafeInteger(times) || times < 1)
    throw step.refuse(`repeats ${inWords(value)}, where a row [B, 1, N] and a number of times were expected`);
  const [row] = value.parts;
  unify(row.axes, ['batch', 'features'], step);
  const axes = row.axes.toSpliced(value.at, 0, { role: 'time', size: times });
  return step.layer(row, { layer: 'repeatVector', times }, {}, axes);
}

export function flattened(step: Step, signal: Signal): Signal {
  const [batch, time, features] = signal.axes as readonly (Axis | undefined)[];
  if (signal.axes.length === 2) return signal;
  if (batch === undefined || time === undefined || features === undefined)
    throw step.refuse(`flattens ${inWords(signal)}`);
  unify(signal.axes, ['batch', 'time', 'features'], step);
  const size = time.size === null || features.size === null ? null : time.size * features.size;
  return step.layer(signal, { layer: 'flatten' }, {}, [batch, { role: 'features', size }]);
}
