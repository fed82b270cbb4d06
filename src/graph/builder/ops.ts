import type { AnyTensor, DType, GraphTensor } from './graph-tensor';
import { NodeWriter, typeAttr } from './node-writer';

type Floats = GraphTensor;
type Ints = GraphTensor<'int32'>;
type Numbers = 'float32' | 'int32';

/** What the step of an LSTM multiplies by. */
interface LstmBlockWeights {
  /** [F + U, 4 U] */ readonly weights: Floats;
  /** [4 U] */ readonly bias: Floats;
  /** [U] of zeros: this LSTM has no connections from the cell state to the gates */
  readonly peephole: Floats;
}

/** [B, U] each. */
type LstmBlockStep = Readonly<Record<'i' | 'f' | 'o' | 'candidate' | 'c' | 'activatedC' | 'h', Floats>>;

function lstmBlockInputs({ weights, bias, peephole }: LstmBlockWeights): Floats[] {
  return [weights, peephole, peephole, peephole, bias];
}

/**
 * TensorFlow's operations as methods, each one node. Names and meaning are TensorFlow's own
 * (https://www.tensorflow.org/api_docs/python/tf/raw_ops); only what this project uses is here.
 */
export abstract class Ops extends NodeWriter {
  /** @param oneDnn products by oneDNN's kernels (see `one-dnn.ts`) instead of TensorFlow's own */
  constructor(protected readonly oneDnn = false) {
    super();
  }

  /** a @ b, either side transposed on the way. */
  matMul(a: Floats, b: Floats, { transposeA = false, transposeB = false } = {}): Floats {
    const attr = { T: typeAttr('float32'), transpose_a: { b: transposeA }, transpose_b: { b: transposeB } };
    if (!this.oneDnn) return this.one('MatMul', [a, b], attr, ['product', 'float32']);
    const kernel = { s: Buffer.from('MklNameChangeOp') };
    return this.one('_MklMatMul', [a, b], { ...attr, _kernel: kernel }, ['product', 'float32'], 'MatMul');
  }

  add<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.arithmetic('AddV2', a, b);
  }

  sub<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.arithmetic('Sub', a, b);
  }

  mul<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.arithmetic('Mul', a, b);
  }

  /** a / b; whole numbers round down. */
  div<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.arithmetic(a.dtype === 'int32' ? 'FloorDiv' : 'RealDiv', a, b);
  }

  maximum<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.arithmetic('Maximum', a, b);
  }

  less(a: Ints, b: Ints): GraphTensor<'bool'> {
    return this.comparison('Less', a, b);
  }

  equal<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<'bool'> {
    return this.comparison('Equal', a, b);
  }

  notEqual<D extends Numbers>(a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<'bool'> {
    return this.comparison('NotEqual', a, b);
  }

  and(a: GraphTensor<'bool'>, b: GraphTensor<'bool'>): GraphTensor<'bool'> {
    return this.one('LogicalAnd', [a, b], {}, ['z', 'bool']);
  }

  /** rows [N, C] + bias [C]. */
  biasAdd(rows: Floats, bias: Floats): Floats {
    return this.one('BiasAdd', [rows, bias], { T: typeAttr('float32') }, ['output', 'float32']);
  }

  /** The gradient of `biasAdd` for the bias: the sums of the columns of rows [N, C], in a third of the time of `sum`. */
  biasAddGrad(rows: Floats): Floats {
    return this.one('BiasAddGrad', [rows], { T: typeAttr('float32') }, ['output', 'float32']);
  }

  tanh(x: Floats): Floats {
    return this.elementwise('Tanh', x);
  }

  /** dy * (1 - y * y): the gradient through y = tanh(x), from y itself. */
  tanhGrad(y: Floats, dy: Floats): Floats {
    return this.one('TanhGrad', [y, dy], { T: typeAttr('float32') }, ['z', 'float32']);
  }

  sigmoid(x: Floats): Floats {
    return this.elementwise('Sigmoid', x);
  }

  /** dy * y * (1 - y): the gradient through y = sigmoid(x), from y itself. */
  sigmoidGrad(y: Floats, dy: Floats): Floats {
    return this.one('SigmoidGrad', [y, dy], { T: typeAttr('float32') }, ['z', 'float32']);
  }

  relu(x: Floats): Floats {
    return this.one('Relu', [x], { T: typeAttr('float32') }, ['activations', 'float32']);
  }

  /** dy where y > 0, else 0: the gradient through y = relu(x), from y itself. */
  reluGrad(y: Floats, dy: Floats): Floats {
    return this.one('ReluGrad', [dy, y], { T: typeAttr('float32') }, ['backprops', 'float32']);
  }

  minimum(a: Floats, b: Floats): Floats {
    return this.arithmetic('Minimum', a, b);
  }

  abs(x: Floats): Floats {
    return this.elementwise('Abs', x);
  }

  neg(x: Floats): Floats {
    return this.elementwise('Neg', x);
  }

  exp(x: Floats): Floats {
    return this.elementwise('Exp', x);
  }

  /** log(1 + x). */
  log1p(x: Floats): Floats {
    return this.elementwise('Log1p', x);
  }

  sqrt(x: Floats): Floats {
    return this.elementwise('Sqrt', x);
  }

  square(x: Floats): Floats {
    return this.elementwise('Square', x);
  }

  /** sum(x * x) / 2 over all elements. */
  l2Loss(x: Floats): Floats {
    return this.one('L2Loss', [x], { T: typeAttr('float32') }, ['output', 'float32']);
  }

  sum(x: Floats, axes: readonly number[]): Floats {
    return this.reduction('Sum', x, axes);
  }

  mean(x: Floats, axes: readonly number[]): Floats {
    return this.reduction('Mean', x, axes);
  }

  softmax(logits: Floats): Floats {
    return this.one('Softmax', [logits], { T: typeAttr('float32') }, ['softmax', 'float32']);
  }

  /**
   * One step of an LSTM with sigmoid and tanh: what its gates give, and the states after it.
   *
   * @param weights kernel and recurrentKernel below each other, [F + U, 4 U], with the columns i g f o
   */
  lstmBlockCell(x: Floats, before: { c: Floats; h: Floats }, weights: LstmBlockWeights): LstmBlockStep {
    // no bias besides the given one, and no limit to c
    const attr = { T: typeAttr('float32'), forget_bias: { f: 0 }, cell_clip: { f: -1 } };
    const names = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'];
    const inputs = [x, before.c, before.h, ...lstmBlockInputs(weights)];
    const [i, c, f, o, candidate, activatedC, h] = this.floats('LSTMBlockCell', inputs, attr, names);
    return { i, c, f, o, candidate, activatedC, h };
  }

  /** The way back through `lstmBlockCell`; it multiplies by no weights: dLoss/d(sums of the gates) [B, 4 U], and dLoss/dc before. */
  lstmBlockCellGrad(
    x: Floats,
    before: { c: Floats; h: Floats },
    weights: LstmBlockWeights,
    made: Omit<LstmBlockStep, 'h'>,
    after: { dc: Floats; dh: Floats },
  ): { dz: Floats; dcBefore: Floats } {
    const { i, c, f, o, candidate, activatedC } = made;
    const inputs = [x, before.c, before.h, ...lstmBlockInputs(weights), i, c, f, o, candidate, activatedC];
    const attr = { T: typeAttr('float32'), use_peephole: { b: false } };
    const names = ['cs_prev_grad', 'dicfo', 'wci_grad', 'wcf_grad', 'wco_grad'];
    const [dcBefore, dz] = this.floats('LSTMBlockCellGrad', [...inputs, after.dc, after.dh], attr, names);
    return { dz, dcBefore };
  }

  /** Per example: the loss [B] (nats) and its gradient for the logits [B, C]. */
  sparseSoftmaxCrossEntropy(logits: Floats, labels: Ints): { losses: Floats; dLogits: Floats } {
    const attr = { T: typeAttr('float32'), Tlabels: typeAttr('int32') };
    const [losses, dLogits] = this.node('SparseSoftmaxCrossEntropyWithLogits', [logits, labels], attr, [
      ['loss', 'float32'],
      ['backprop', 'float32'],
    ]) as [Floats, Floats];
    return { losses, dLogits };
  }

  /** Elements of `whenTrue` where the condition holds, else of `whenFalse`; shapes broadcast. */
  select(condition: GraphTensor<'bool'>, whenTrue: Floats, whenFalse: Floats): Floats {
    const inputs = [condition, whenTrue, whenFalse];
    return this.one('SelectV2', inputs, { T: typeAttr('float32') }, ['output', 'float32']);
  }

  isFinite(x: Floats): GraphTensor<'bool'> {
    return this.one('IsFinite', [x], { T: typeAttr('float32') }, ['y', 'bool']);
  }

  /** Whether all elements along the axes are true. */
  all(x: GraphTensor<'bool'>, axes: readonly number[]): GraphTensor<'bool'> {
    return this.one('All', [x, this.int(axes)], {}, ['output', 'bool']);
  }

  identity<D extends DType>(x: GraphTensor<D>, name?: string): GraphTensor<D> {
    return this.one('Identity', [x], { T: typeAttr(x.dtype) }, ['output', x.dtype], name);
  }

  zerosLike(x: Floats): Floats {
    return this.one('ZerosLike', [x], { T: typeAttr('float32') }, ['y', 'float32']);
  }

  fill(shape: Ints, value: Floats): Floats {
    return this.one('Fill', [shape, value], { T: typeAttr('float32') }, ['output', 'float32']);
  }

  cast<D extends DType>(x: AnyTensor, dtype: D): GraphTensor<D> {
    return this.one('Cast', [x], { SrcT: typeAttr(x.dtype), DstT: typeAttr(dtype) }, ['y', dtype]);
  }

  /** The number of elements of x, as a scalar. */
  size(x: AnyTensor): Ints {
    return this.one('Size', [x], { T: typeAttr(x.dtype) }, ['output', 'int32']);
  }

  /** The sizes of x, as a vector. */
  shape(x: AnyTensor): Ints {
    return this.one('Shape', [x], { T: typeAttr(x.dtype) }, ['output', 'int32']);
  }

  reshape<D extends DType>(x: GraphTensor<D>, shape: Ints): GraphTensor<D> {
    return this.one('Reshape', [x, shape], { T: typeAttr(x.dtype) }, ['output', x.dtype]);
  }

  transpose<D extends DType>(x: GraphTensor<D>, permutation: readonly number[]): GraphTensor<D> {
    const inputs = [x, this.int(permutation)];
    return this.one('Transpose', inputs, { T: typeAttr(x.dtype) }, ['y', x.dtype]);
  }

  expandDims<D extends DType>(x: GraphTensor<D>, axis: number): GraphTensor<D> {
    return this.one('ExpandDims', [x, this.int(axis)], { T: typeAttr(x.dtype) }, ['output', x.dtype]);
  }

  concat<D extends DType>(parts: readonly GraphTensor<D>[], axis: number): GraphTensor<D> {
    if (parts.length === 1) return parts[0];
    const { dtype } = parts[0];
    const attr = { T: typeAttr(dtype), N: { i: parts.length } };
    return this.one('ConcatV2', [...parts, this.int(axis)], attr, ['output', dtype]);
  }

  /** Equal parts along an axis. */
  split<D extends DType>(x: GraphTensor<D>, parts: number, axis: number): GraphTensor<D>[] {
    if (parts === 1) return [x];
    const attr = { T: typeAttr(x.dtype), num_split: { i: parts } };
    return this.list('Split', [this.int(axis), x], attr, parts, x.dtype);
  }

  /** Parts of the given sizes along an axis. */
  splitSizes<D extends DType>(x: GraphTensor<D>, sizes: Ints, parts: number, axis: number): GraphTensor<D>[] {
    const attr = { T: typeAttr(x.dtype), Tlen: typeAttr('int32'), num_split: { i: parts } };
    return this.list('SplitV', [x, sizes, this.int(axis)], attr, parts, x.dtype);
  }

  /** The slices along an axis, without that axis. */
  unstack<D extends DType>(x: GraphTensor<D>, parts: number, axis: number): GraphTensor<D>[] {
    const attr = { T: typeAttr(x.dtype), num: { i: parts }, axis: { i: axis } };
    return this.list('Unpack', [x], attr, parts, x.dtype);
  }

  stack<D extends DType>(parts: readonly GraphTensor<D>[], axis = 0): GraphTensor<D> {
    const { dtype } = parts[0];
    const attr = { T: typeAttr(dtype), N: { i: parts.length }, axis: { i: axis } };
    return this.one('Pack', parts, attr, ['output', dtype]);
  }

  /** `size` elements of each axis from `begin`; -1 means up to the end. */
  slice<D extends DType>(x: GraphTensor<D>, begin: readonly number[] | Ints, size: readonly number[] | Ints) {
    const inputs = [x, this.indices(begin), this.indices(size)];
    const attr = { T: typeAttr(x.dtype), Index: typeAttr('int32') };
    return this.one('Slice', inputs, attr, ['output', x.dtype]);
  }

  /** The rows of x that the indices name. */
  gather<D extends DType>(x: GraphTensor<D>, indices: Ints, axis = 0): GraphTensor<D> {
    const attr = { Tparams: typeAttr(x.dtype), Tindices: typeAttr('int32'), Taxis: typeAttr('int32') };
    return this.one('GatherV2', [x, indices, this.int(axis)], attr, ['output', x.dtype]);
  }

  /** The sum of the rows of x [N, ...] that have the same index, for the indices 0..count-1: [count, ...]. */
  segmentSum(x: Floats, indices: Ints, count: Ints): Floats {
    const attr = { T: typeAttr('float32'), Tindices: typeAttr('int32'), Tnumsegments: typeAttr('int32') };
    return this.one('UnsortedSegmentSum', [x, indices, count], attr, ['output', 'float32']);
  }

  /** From last to first along an axis. */
  reverse<D extends DType>(x: GraphTensor<D>, axis: number): GraphTensor<D> {
    const attr = { T: typeAttr(x.dtype), Tidx: typeAttr('int32') };
    return this.one('ReverseV2', [x, this.int([axis])], attr, ['output', x.dtype]);
  }

  /** A list of `length` elements that are not there yet. */
  listReserve(length: Ints): GraphTensor<'variant'> {
    const attr = { element_dtype: typeAttr('float32'), shape_type: typeAttr('int32') };
    return this.one('TensorListReserve', [this.int(-1), length], attr, ['handle', 'variant']);
  }

  /** The list of a tensor's slices along its first axis. */
  listFromTensor(x: AnyTensor): GraphTensor<'variant'> {
    const attr = { element_dtype: typeAttr(x.dtype), shape_type: typeAttr('int32') };
    return this.one('TensorListFromTensor', [x, this.int(-1)], attr, ['output_handle', 'variant']);
  }

  listGet<D extends DType>(list: GraphTensor<'variant'>, index: Ints, dtype: D): GraphTensor<D> {
    const attr = { element_dtype: typeAttr(dtype) };
    return this.one('TensorListGetItem', [list, index, this.int(-1)], attr, ['item', dtype]);
  }

  listSet(list: GraphTensor<'variant'>, index: Ints, item: Floats): GraphTensor<'variant'> {
    const attr = { element_dtype: typeAttr('float32') };
    return this.one('TensorListSetItem', [list, index, item], attr, ['output_handle', 'variant']);
  }

  /** The elements of a list as one tensor with a new first axis. */
  listStack(list: GraphTensor<'variant'>): Floats {
    const attr = { element_dtype: typeAttr('float32') };
    return this.one('TensorListStack', [list, this.int(-1)], attr, ['tensor', 'float32']);
  }

  private indices(values: readonly number[] | Ints): Ints {
    return 'ref' in values ? values : this.int(values);
  }

  private elementwise(op: string, x: Floats): Floats {
    return this.one(op, [x], { T: typeAttr('float32') }, ['y', 'float32']);
  }

  private comparison<D extends Numbers>(
    op: string,
    a: GraphTensor<D>,
    b: GraphTensor<D>,
  ): GraphTensor<'bool'> {
    return this.one(op, [a, b], { T: typeAttr(a.dtype) }, ['z', 'bool']);
  }

  private arithmetic<D extends Numbers>(op: string, a: GraphTensor<D>, b: GraphTensor<D>): GraphTensor<D> {
    return this.one(op, [a, b], { T: typeAttr(a.dtype) }, ['z', a.dtype]);
  }

  private reduction(op: string, x: Floats, axes: readonly number[]): Floats {
    return this.one(op, [x, this.int(axes)], { T: typeAttr('float32') }, ['output', 'float32']);
  }

  private floats(
    op: string,
    inputs: readonly Floats[],
    attr: Parameters<NodeWriter['node']>[2],
    names: readonly string[],
  ): Floats[] {
    const outputs = names.map((name) => [name, 'float32'] as const);
    return this.node(op, inputs, attr, outputs) as Floats[];
  }

  private list<D extends DType>(
    op: string,
    inputs: readonly AnyTensor[],
    attr: Parameters<NodeWriter['node']>[2],
    parts: number,
    dtype: D,
  ): GraphTensor<D>[] {
    const outputs = Array.from({ length: parts }, () => ['output', dtype] as const);
    return this.node(op, inputs, attr, outputs) as GraphTensor<D>[];
  }
}
