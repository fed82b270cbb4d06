import type { Tensor } from '../../../scratch/index';
import { asSignal, featuresOf, mergedDirections, unify, withAxes, type Step } from './graph-reader';
import { activationNamed, readRecurrent } from './recurrent';
import { concatenated, constant, constantOf, taken, transposed, type Constant } from './tensors';
import { axesOf, inWords, type Axis, type Pile, type Signal, type Value } from './values';

type Operation = (step: Step) => Value | Value[] | Promise<Value>;

const zeros: Value = { kind: 'zeros' };
const activation =
  (name: string): Operation =>
  (step) => {
    const signal = asSignal(step.input(0), step);
    const has = name === 'HardSigmoid';
    const own = activationNamed(
      name,
      has ? step.number('alpha', 0.2) : undefined,
      has ? step.number('beta', 0.5) : undefined,
      step,
    );
    return { ...signal, from: step.graph.layer(step, signal, { layer: 'activation', activation: own }) };
  };
const same: Operation = (step) => step.input(0) ?? zeros;

/** Every operation that is read, by its name. */
export const operations: Readonly<Record<string, Operation>> = {
  ...{ LSTM: readRecurrent, GRU: readRecurrent, RNN: readRecurrent },
  ...{ Tanh: activation('Tanh'), Sigmoid: activation('Sigmoid'), Relu: activation('Relu') },
  HardSigmoid: activation('HardSigmoid'),
  ...{ Identity: same, Cast: same, Dropout: same },
  Softmax(step) {
    const signal = asSignal(step.input(0), step);
    const axis = step.number('axis', step.opset < 13 ? 1 : -1);
    const last = signal.axes.length - 1;
    if (axis !== -1 && axis !== last) throw step.refuse(`has axis ${axis}, where the last one was expected`);
    featuresOf(signal, step);
    return {
      ...signal,
      from: step.graph.layer(step, signal, { layer: 'activation', activation: 'softmax' }),
    };
  },
  Constant: (step) => {
    const [value] = step.node.attribute;
    switch ((value as typeof value | undefined)?.name) {
      case 'value':
        if (value.t !== null)
          return constantOf(value.t, step.graph.where, () =>
            Promise.reject(step.refuse('keeps numbers in another file')),
          );
        break;
      case 'value_float':
        return constant([value.f], []);
      case 'value_int':
        return constant([value.i], []);
      case 'value_floats':
        return constant(value.floats);
      case 'value_ints':
        return constant(value.ints);
    }
    throw step.refuse('holds no numbers');
  },
  ConstantOfShape(step) {
    const value = step.node.attribute.find(({ name }) => name === 'value')?.t;
    const isZero = [
      value?.float_data,
      value?.int64_data,
      value?.int32_data,
      value?.double_data,
      value?.raw_data,
    ].every((list) => list === undefined || Array.from(list).every((x) => x === 0));
    if (!isZero) throw step.refuse('fills with a number that is not 0');
    return zeros;
  },
  Shape: (step) => {
    const value = step.input(0);
    if (value?.kind === 'constant') return constant(value.shape);
    if (value?.kind !== 'signal' && value?.kind !== 'pile')
      throw step.refuse(`asks for the sizes of ${inWords(value)}`);
    const items = axesOf(value).map((axis) => axis ?? (value.kind === 'pile' ? value.parts.length : 1));
    return { kind: 'sizes', items, isScalar: false };
  },
  MatMul(step) {
    const signal = asSignal(step.input(0), step);
    const kernel = step.constant(1, 'the matrix');
    return dense(step, signal, kernel, undefined);
  },
  Gemm(step) {
    const signal = asSignal(step.input(0), step);
    if (step.number('transA', 0) !== 0 || step.number('alpha', 1) !== 1 || step.number('beta', 1) !== 1)
      throw step.refuse('has transA, alpha or beta');
    const given = step.constant(1, 'the matrix');
    const kernel = step.number('transB', 0) === 0 ? given : transposed(given, [1, 0]);
    return dense(
      step,
      signal,
      kernel,
      step.input(2) === undefined ? undefined : step.constant(2, 'the bias'),
    );
  },
  Gather(step) {
    const value = step.input(0);
    const [axis] = [step.number('axis', 0)];
    if (value?.kind === 'constant' && step.input(1)?.kind === 'signal') return embedding(step, value, axis);
    const index = step.constant(1, 'the positions');
    return pick(step, value, axis, Array.from(index.data), index.shape.length === 0);
  },
  Slice(step) {
    const value = step.input(0);
    const [starts, ends] = [step.integers(1, 'starts'), step.integers(2, 'ends')];
    if (starts === undefined || ends === undefined) throw step.refuse('has no starts and ends');
    const axes = step.integers(3, 'axes') ?? starts.map((_, i) => i);
    const steps = step.integers(4, 'steps') ?? starts.map(() => 1);
    return axes.reduce<Value>(
      (from, axis, i) => cut(step, from, axis, starts[i], ends[i], steps[i]),
      value ?? zeros,
    );
  },
  Split(step) {
    const value = step.input(0);
    const count = step.node.output.length;
    const axis = step.number('axis', 0);
    if (
      value?.kind !== 'pile' ||
      place(axis, axesOf(value).length) !== value.at ||
      value.parts.length !== count
    )
      throw step.refuse(`splits ${inWords(value)}, where the directions of a layer were expected`);
    return value.parts.map((part): Pile => ({ ...value, parts: [part] }));
  },
  Transpose(step) {
    const value = step.input(0);
    if (value?.kind === 'zeros') return zeros;
    const rank =
      value?.kind === 'constant'
        ? value.shape.length
        : value?.kind === 'signal' || value?.kind === 'pile'
          ? axesOf(value).length
          : 0;
    const perm = step.integers(-1, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    if (rank === 0 || perm.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== rank)
      throw step.refuse(`has perm [${perm.join(', ')}] for ${inWords(value)}`);
    if (value?.kind === 'constant') return transposed(value, perm);
    const axes = axesOf(value as Signal);
    return withAxes(
      value as Signal,
      perm.map((axis) => axes[axis]),
    );
  },
  Unsqueeze(step) {
    const value = step.input(0);
    const axes = step.integers(1, 'axes');
    if (axes === undefined) throw step.refuse('has no axes');
    if (value?.kind === 'zeros') return zeros;
    if (value?.kind === 'sizes') return { ...value, isScalar: false };
    if (value?.kind === 'constant') {
      const shape = [...value.shape];
      for (const axis of axes) shape.splice(place(axis, value.shape.length + axes.length), 0, 1);
      return { ...value, shape };
    }
    if (value?.kind !== 'signal' || axes.length !== 1) throw step.refuse(`adds axes to ${inWords(value)}`);
    return { kind: 'pile', parts: [value], at: place(axes[0], value.axes.length + 1) };
  },
  Squeeze(step) {
    const value = step.input(0);
    const axes = step.integers(1, 'axes');
    if (value?.kind === 'zeros') return zeros;
    if (value?.kind === 'sizes') return { ...value, isScalar: true };
    if (value?.kind === 'constant') {
      const gone = axes?.map((axis) => place(axis, value.shape.length));
      return { ...value, shape: value.shape.filter((n, i) => !(gone?.includes(i) ?? n === 1)) };
    }
    if (value?.kind === 'pile' && value.parts.length === 1) {
      const [axis = value.at] = axes ?? [];
      if ((axes ?? [axis]).length === 1 && place(axis, axesOf(value).length) === value.at)
        return value.parts[0];
    }
    throw step.refuse(`takes axes [${axes?.join(', ') ?? 'of size 1'}] away from ${inWords(value)}`);
  },
  Concat(step) {
    const values = step.node.input.map((_, i) => step.input(i));
    const axis = step.number('axis', 0);
    if (values.every((value) => value?.kind === 'zeros')) return zeros;
    if (values.every((value): value is Constant => value?.kind === 'constant')) {
      const at = place(axis, values[0].shape.length);
      const isFit = values.every(
        ({ shape }) =>
          shape.length === values[0].shape.length &&
          shape.every((n, i) => i === at || n === values[0].shape[i]),
      );
      if (!isFit || at < 0) throw step.refuse('joins constants whose shapes do not fit');
      return step.constantWithin(concatenated(values, at));
    }
    if (values.every((value) => value?.kind === 'sizes' || value?.kind === 'constant')) {
      const items = values.flatMap((value) =>
        value.kind === 'sizes' ? value.items : Array.from(value.data),
      );
      if (items.length > 16) throw step.refuse(`makes a shape of ${items.length} axes`);
      return { kind: 'sizes', items, isScalar: false };
    }
    if (values.every((value): value is Pile => value?.kind === 'pile')) {
      const parts = values.flatMap((value) => value.parts);
      const isSame = values.every(({ at }) => at === values[0].at);
      if (isSame && place(axis, axesOf(values[0]).length) === values[0].at && parts.length <= 64)
        return { ...values[0], parts };
    }
    if (values.every((value): value is Signal => value?.kind === 'signal')) {
      const merged =
        place(axis, values[0].axes.length) === values[0].axes.length - 1
          ? mergedDirections(values, 'concat')
          : undefined;
      if (merged !== undefined) return merged;
    }
    throw step.refuse(
      `joins ${values.map(inWords).join(' and ')}, where the two directions of a layer were expected`,
    );
  },
  Reshape,
  Flatten(step) {
    const signal = asSignal(step.input(0), step);
    if (step.number('axis', 1) !== 1) throw step.refuse('has another axis than 1');
    return flattened(step, signal);
  },
  Expand: (step) => (step.input(0)?.kind === 'constant' ? zerosOnly(step) : repeated(step, shapeOf(step, 1))),
  Tile: (step) => repeated(step, shapeOf(step, 1)),
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
    const signal = asSignal(step.input(0), step);
    if (step.number('training_mode', 0) !== 0) throw step.refuse('is in training mode');
    const features = signal.axes.at(1);
    if (features === undefined || signal.axes.length > 3 || (features.role ?? 'features') !== 'features')
      throw step.refuse(`reads ${inWords(signal)}, where the features on the second axis were expected`);
    features.role = 'features';
    const [gamma, beta, movingMean, movingVariance] = [1, 2, 3, 4].map((i) =>
      vector(step, step.constant(i, 'a weight'), features),
    );
    const config = {
      layer: 'batchNormalization',
      epsilon: step.number('epsilon', 1e-5),
      center: true,
      scale: true,
    } as const;
    return {
      ...signal,
      from: step.graph.layer(step, signal, config, { gamma, beta, movingMean, movingVariance }),
    };
  },
};

/** -1 is the last axis. */
const place = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** y = x W + b, for every row alike. */
function dense(step: Step, signal: Signal, kernel: Constant, bias: Constant | undefined): Signal {
  const features = featuresOf(signal, step);
  const [inputs, units] = kernel.shape;
  const isFit = kernel.shape.length === 2 && (features.size === null || features.size === inputs);
  const flat = bias && { data: bias.data, shape: [bias.data.length] };
  if (!isFit || (flat !== undefined && flat.data.length !== units))
    throw step.refuse(`multiplies ${features.size ?? 'any'} features by [${kernel.shape.join(', ')}]`);
  features.size = inputs;
  const config = { layer: 'dense', units, useBias: flat !== undefined } as const;
  const weights = { kernel: { data: kernel.data, shape: kernel.shape }, ...(flat && { bias: flat }) };
  const from = step.graph.layer(step, signal, config, weights, kernel.half);
  return { kind: 'signal', from, axes: [...signal.axes.slice(0, -1), { role: 'features', size: units }] };
}

function embedding(step: Step, table: Constant, axis: number): Signal {
  const signal = asSignal(step.input(1), step);
  if (axis !== 0 || table.shape.length !== 2 || signal.axes.length !== 2 || !('source' in signal.from))
    throw step.refuse(
      `looks up ${inWords(signal)} in [${table.shape.join(', ')}], where integers [B, T] in a table were expected`,
    );
  const [inputDim, outputDim] = table.shape;
  const config = { layer: 'embedding', inputDim, outputDim } as const;
  const from = step.graph.layer(
    step,
    signal,
    config,
    { embeddings: { data: table.data, shape: table.shape } },
    table.half,
  );
  return { kind: 'signal', from, axes: [...signal.axes, { role: 'features', size: outputDim }] };
}

/** Positions along an axis. */
function pick(
  step: Step,
  value: Value | undefined,
  axis: number,
  positions: readonly number[],
  isScalar: boolean,
): Value {
  const refuse = () =>
    step.refuse(`takes position ${positions.join(', ')} of axis ${axis} of ${inWords(value)}`);
  if (value?.kind === 'zeros') return value;
  if (value?.kind === 'sizes' || value?.kind === 'constant') {
    const length = value.kind === 'sizes' ? value.items.length : value.shape[place(axis, value.shape.length)];
    const own = positions.map((n) => place(n, length));
    if (!own.every((n) => Number.isInteger(n) && n >= 0 && n < length)) throw refuse();
    if (value.kind === 'sizes') return { kind: 'sizes', items: own.map((n) => value.items[n]), isScalar };
    const at = place(axis, value.shape.length);
    const some = taken(value, at, own);
    return isScalar ? { ...some, shape: some.shape.toSpliced(at, 1) } : step.constantWithin(some);
  }
  if (value?.kind === 'pile' && place(axis, axesOf(value).length) === value.at) {
    const parts = positions.map((n) => value.parts[place(n, value.parts.length)] as Signal | undefined);
    if (!parts.every((part) => part !== undefined) || parts.length === 0) throw refuse();
    return isScalar ? parts[0] : { ...value, parts };
  }
  if (value?.kind === 'signal' && isScalar) return lastStep(step, value, axis, positions[0]);
  // one step of every direction
  if (value?.kind === 'pile' && isScalar) {
    const at = place(axis, axesOf(value).length);
    const inPart = at > value.at ? at - 1 : at;
    const parts = value.parts.map((part) => lastStep(step, part, inPart, positions[0]));
    return { kind: 'pile', parts, at: at < value.at ? value.at - 1 : value.at };
  }
  throw refuse();
}

/** The last step of a signal: the final state of an operation in one direction, a layer by itself else. */
function lastStep(step: Step, signal: Signal, axis: number, position: number): Signal {
  const at = place(axis, signal.axes.length);
  const time = signal.axes[at] as Axis | undefined;
  const isLast =
    signal.flipped === true
      ? position === 0
      : position === -1 || (time?.size !== null && position === (time?.size ?? 0) - 1);
  if (signal.axes.length !== 3 || time === undefined || (time.role ?? 'time') !== 'time' || !isLast)
    throw step.refuse(`takes step ${position} of ${inWords(signal)}, where the last one was expected`);
  time.role = 'time';
  const axes = signal.axes.toSpliced(at, 1);
  axes[0].role ??= 'batch';
  const { from } = signal;
  if ('direction' in from && from.what === 'all' && from.recurrent.weights.length === 1)
    return { kind: 'signal', from: { ...from, what: 'h' }, axes };
  return { kind: 'signal', from: step.graph.layer(step, signal, { layer: 'lastStep' }), axes };
}

/** A slice: the order of steps turned round, a part of a pile, the last step with its axis. */
function cut(step: Step, value: Value, axis: number, start: number, end: number, stride: number): Value {
  if (value.kind === 'zeros') return value;
  const positions = (length: number): number[] => {
    const clamp = (n: number, low: number, high: number) =>
      Math.min(Math.max(n < 0 ? n + length : n, low), high);
    const out: number[] = [];
    if (stride > 0) for (let i = clamp(start, 0, length); i < clamp(end, 0, length); i += stride) out.push(i);
    else if (stride < 0)
      for (
        let i = clamp(start, -1, length - 1);
        i > (end < -length ? -1 : clamp(end, -1, length - 1));
        i += stride
      )
        out.push(i);
    return out;
  };
  if (value.kind === 'sizes') return pick(step, value, 0, positions(value.items.length), false);
  if (value.kind === 'constant') {
    const at = place(axis, value.shape.length);
    if (at < 0 || at >= value.shape.length) throw step.refuse(`cuts axis ${axis} of ${inWords(value)}`);
    return taken(value, at, positions(value.shape[at]));
  }
  const axes = axesOf(value);
  const at = place(axis, axes.length);
  if (value.kind === 'pile' && at === value.at)
    return pick(step, value, axis, positions(value.parts.length), false);
  const isWhole = stride === 1 && start === 0 && end >= (axes[at]?.size ?? 2 ** 31 - 1);
  if (isWhole) return value;
  const isTurned = stride === -1 && (start === -1 || start >= 2 ** 31 - 1) && end <= -(2 ** 31);
  const own = axes[at];
  if (isTurned && own !== undefined && (own.role ?? 'time') === 'time') {
    own.role = 'time';
    const turn = (one: Signal): Signal => ({ ...one, flipped: one.flipped !== true });
    return value.kind === 'signal' ? turn(value) : { ...value, parts: value.parts.map(turn) };
  }
  const isOne = stride === 1 && start === -1 && end >= 2 ** 31 - 1;
  if (isOne && value.kind === 'signal') return { kind: 'pile', parts: [lastStep(step, value, at, -1)], at };
  throw step.refuse(`takes ${start} to ${end} by ${stride} of axis ${axis} of ${inWords(value)}`);
}

function bothDirections(step: Step, a: Signal, b: Signal, merge: 'sum' | 'mul'): Signal {
  const merged = mergedDirections([a, b], merge);
  if (merged === undefined)
    throw step.refuse('joins two layers, where the two directions of one were expected');
  return merged;
}

function reduced(step: Step, merge: 'sum' | 'ave' | 'mul'): Value {
  const value = step.input(0);
  const axes = step.integers(1, 'axes');
  if (value?.kind !== 'pile' || axes?.length !== 1 || place(axes[0], axesOf(value).length) !== value.at)
    throw step.refuse(`reduces ${inWords(value)}, where the directions of a layer were expected`);
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
  const signal = asSignal(step.input(at), step);
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
  const config = {
    layer: 'batchNormalization',
    epsilon: 0,
    center: beta !== undefined,
    scale: gamma !== undefined,
  } as const;
  const weights = {
    ...(gamma && { gamma }),
    ...(beta && { beta }),
    movingMean: filled(0),
    movingVariance: filled(1),
  };
  return { ...signal, from: step.graph.layer(step, signal, config, weights) };
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

/** A shape as a list: numbers, and axes whose size is not known. */
function shapeOf(step: Step, i: number): readonly (number | Axis)[] {
  const value = step.input(i);
  if (value?.kind === 'sizes') return value.items;
  return Array.from(step.constant(i, 'the shape').data);
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
  return { kind: 'signal', from: step.graph.layer(step, row, { layer: 'repeatVector', times }), axes };
}

function flattened(step: Step, signal: Signal): Signal {
  const [batch, time, features] = signal.axes as readonly (Axis | undefined)[];
  if (signal.axes.length === 2) return signal;
  if (batch === undefined || time === undefined || features === undefined)
    throw step.refuse(`flattens ${inWords(signal)}`);
  unify(signal.axes, ['batch', 'time', 'features'], step);
  const size = time.size === null || features.size === null ? null : time.size * features.size;
  return {
    kind: 'signal',
    from: step.graph.layer(step, signal, { layer: 'flatten' }),
    axes: [batch, { role: 'features', size }],
  };
}

/** Shapes that say the same in another way; the directions side by side; rows of all steps below each other, and back. */
function Reshape(step: Step): Value {
  const value = step.input(0);
  if (value?.kind === 'zeros') return value;
  const given = shapeOf(step, 1);
  if (value?.kind === 'constant') {
    const shape = given.map((n, i) => (n === 0 ? value.shape[i] : n));
    const known = shape
      .filter((n): n is number => typeof n === 'number' && n >= 0)
      .reduce((a, b) => a * b, 1);
    const filled = shape.map((n) => (n === -1 ? value.data.length / known : n)) as number[];
    if (
      !filled.every((n) => Number.isSafeInteger(n) && n >= 0) ||
      filled.reduce((a, b) => a * b, 1) !== value.data.length
    )
      throw step.refuse(
        `gives ${inWords(value)} the shape [${given.map((n) => (typeof n === 'number' ? n : 'any')).join(', ')}]`,
      );
    return { ...value, shape: filled };
  }
  if (value?.kind === 'sizes') return { ...value, isScalar: given.length === 0 };
  if (value === undefined) throw step.refuse('reads nothing');
  const axes = axesOf(value);
  const words = (list: readonly (number | Axis | undefined)[]): string =>
    list.map((n) => (typeof n === 'number' ? n : (n?.role ?? n?.size ?? 'any'))).join(', ');
  const refuse = () => step.refuse(`gives [${words(axes)}] the shape [${words(given)}]`);
  /** whether an entry of the new shape can be this axis */
  const is = (i: number, axis: Axis | undefined): boolean => {
    const n = given[i];
    if (typeof n !== 'number')
      return n === axis || (axis !== undefined && n.size !== null && n.size === axis.size);
    return n === -1 || n === 0 || axis?.size === null || n === axis?.size || (axis === undefined && n === 1);
  };
  if (value.kind === 'pile') {
    const { at, parts } = value;
    const [first] = parts;
    if (
      parts.length === 1 &&
      given.length === first.axes.length &&
      first.axes.every((axis, i) => is(i, axis))
    )
      return first;
    const merged =
      at === axes.length - 2 && given.length === axes.length - 1
        ? mergedDirections(parts, 'concat')
        : undefined;
    if (merged?.axes.every((axis, i) => is(i, axis)) !== true) throw refuse();
    return merged;
  }
  if (given.length === axes.length && value.axes.every((axis, i) => is(i, axis))) return value;
  if (given.length === 2 && axes.length === 3) {
    const [first, second, features] = value.axes;
    const whole = second.size === null || features.size === null ? null : second.size * features.size;
    const isFlat =
      typeof given[1] === 'number' &&
      given[1] !== features.size &&
      (given[1] === -1 || whole === null || given[1] === whole);
    if (isFlat) return flattened(step, value);
    if (!is(1, features)) throw refuse();
    return { ...value, axes: [{ size: null, parts: [first, second] }, features] };
  }
  const [rows, features] = value.axes as readonly (Axis | undefined)[];
  if (
    given.length === 3 &&
    rows?.parts !== undefined &&
    is(0, rows.parts[0]) &&
    is(1, rows.parts[1]) &&
    is(2, features)
  )
    return { ...value, axes: [...rows.parts, features!] };
  const one = given.findIndex((n) => n === 1);
  if (given.length === axes.length + 1 && one >= 0) return { kind: 'pile', parts: [value], at: one };
  throw refuse();
}
