import { expect } from 'chai';
import { UsageError } from '../../../harness/base/outcome';
import { GraphWriter, type Attributes } from '../../../harness/models/onnx/graph-writer';
import { readOnnx } from '../../../harness/models/onnx/read';
import { elementTypes, encodeOnnx } from '../../../harness/models/onnx/schema';

/** A graph that reads x [B, T, 2] and gives y. */
class Graph extends GraphWriter {
  constructor() {
    super();
    this.ints('zero', [0]);
    this.ints('one', [1]);
  }

  /** An operation that gives y, or what is named. */
  op(kind: string, input: readonly string[], attributes: Attributes = {}, output = 'y'): this {
    this.node(kind, input, [output], attributes);
    return this;
  }

  numbers(name: string, shape: readonly number[], value = 0.5): string {
    return this.floats(name, shape, new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value));
  }

  /** An LSTM of 2 units over x: all [T, D, B, 2], final [D, B, 2], and of one direction h [B, 2] and steps [T, B, 2]. */
  lstm(attributes: Attributes = {}, more: readonly string[] = [], directions = 1, x = 'x'): this {
    const direction = directions === 1 ? 'forward' : 'bidirectional';
    this.op('Transpose', [x], { perm: [1, 0, 2] }, 'timeFirst');
    const weights = ['W', 'R'].map((name) => this.numbers(name, [directions, 8, 2]));
    const output = ['all', 'final', 'cell'];
    this.node('LSTM', ['timeFirst', ...weights, ...more], output, {
      hidden_size: 2,
      direction,
      ...attributes,
    });
    if (directions === 2) return this;
    return this.op('Squeeze', ['final', 'zero'], {}, 'h').op('Squeeze', ['all', 'one'], {}, 'steps');
  }

  /** The outputs of both directions, forward and backward [T, B, 2]. */
  both(): this {
    this.lstm({}, [], 2);
    for (const [name, at] of [
      ['there', 0],
      ['back', 1],
    ] as const)
      this.op('Gather', ['all', this.ints(`${name} at`, [at], [])], { axis: 1 }, name);
    return this;
  }

  bytes(input: object = {}, graph: object = {}): Buffer {
    const dim = [{ dim_param: 'B' }, { dim_param: 'T' }, { dim_value: 2 }];
    const type = { tensor_type: { elem_type: elementTypes.float32, shape: { dim } } };
    return encodeOnnx({
      ir_version: 8,
      opset_import: [{ domain: '', version: 17 }],
      graph: {
        ...{ node: this.nodes, initializer: this.constants },
        ...{ input: [{ name: 'x', type, ...input }], output: [{ name: 'y' }], ...graph },
      },
    });
  }
}

const { int64, float32 } = elementTypes;
const axes = (n: number): object => ({
  type: {
    tensor_type: { elem_type: float32, shape: { dim: Array.from({ length: n }, () => ({ dim_value: 2 })) } },
  },
});
const tensor = (more: object): object => ({
  initializer: [{ name: 'c', dims: [2], data_type: float32, ...more }],
});

/** What the message says, and the graph that it is about. */
const rows: readonly (readonly [says: RegExp, build: (g: Graph) => Graph, input?: object, graph?: object])[] = [
  // the file
  [/it has 0 operations of ONNX/, (g) => g],
  [/the input x has 4 axes, where \[B, T, F\]/, (g) => g.op('Tanh', ['x']), axes(4)],
  [/the input x has an unknown number of axes/, (g) => g.op('Tanh', ['x']), { type: { tensor_type: { elem_type: float32 } } }],
  [/has no layer: its outputs do not depend on its inputs/, (g) => g.op('Identity', ['x'])],
  [/the output y is a constant \[1\], where what a layer gives/, (g) => g.lstm().op('Identity', ['one'])],
  [/the output y is nothing/, (g) => g.lstm()],
  [/\(Loop\) is not read\. Read are LSTM, GRU, RNN/, (g) => g.op('Loop', ['x'])],
  [/\(Gelu\) of com\.microsoft is not read/, (g) => { g.nodes.push({ op_type: 'Gelu', domain: 'com.microsoft', input: ['x'], output: ['y'] }); return g; }],
  [/reads z, which nothing before it gives/, (g) => g.op('Tanh', ['z'])],
  [/has axis of the type 3, where one number was expected/, (g) => g.lstm().op('Softmax', ['h'], { axis: 'last' })],
  // numbers of the file
  [/the tensor c has shape \[-1\]/, (g) => g.op('Tanh', ['x']), {}, tensor({ dims: [-1] })],
  [/the tensor c has the element type 8/, (g) => g.op('Tanh', ['x']), {}, tensor({ data_type: 8 })],
  [/the tensor c \[2\] has 4 bytes, expected were 8/, (g) => g.op('Tanh', ['x']), {}, tensor({ raw_data: new Uint8Array(4) })],
  [/the tensor c \[2\] has 1 numbers, expected were 2/, (g) => g.op('Tanh', ['x']), {}, tensor({ float_data: [1] })],
  // operations that move numbers
  [/has no starts and ends/, (g) => g.lstm().op('Slice', ['all'])],
  [/takes 0 to 1 by 1 of axis 1 of what a layer gives/, (g) => g.op('Slice', ['x', 'zero', 'one', 'one'])],
  [/cuts axis 1 of a constant \[1\]/, (g) => g.op('Slice', ['zero', 'zero', 'one', 'one'])],
  [/splits what a layer gives \[any, any, 2\], where the directions/, (g) => g.op('Split', ['x'], { axis: 2 })],
  [/splits 2 tensors in one, where the directions of a layer were expected/, (g) => g.lstm({}, [], 2).op('Split', ['all'], { axis: 1 })],
  [/has perm \[0, 0, 1\] for what a layer gives/, (g) => g.op('Transpose', ['x'], { perm: [0, 0, 1] })],
  [/has no axes/, (g) => g.op('Unsqueeze', ['x'])],
  [/adds axes to what a layer gives/, (g) => g.op('Unsqueeze', ['x', g.ints('axes', [0, 1])])],
  [/takes axes \[0\] away from what a layer gives/, (g) => g.op('Squeeze', ['x', 'zero'])],
  [/joins constants whose shapes do not fit/, (g) => g.op('Concat', ['zero', g.numbers('c', [1, 1])], { axis: 0 })],
  [/makes a shape of 17 axes/, (g) => g.op('Shape', ['x'], {}, 's').op('Concat', ['s', g.ints('c', new Array<number>(14).fill(1))], { axis: 0 })],
  [/joins what a layer gives .* and what a layer gives .*, where the two directions/, (g) => g.lstm().op('Concat', ['h', 'h'], { axis: 1 })],
  [/gives a constant \[1\] the shape \[3\]/, (g) => g.op('Reshape', ['zero', g.ints('shape', [3])])],
  [/gives \[any, any, 2\] the shape \[0, 0, 3\]/, (g) => g.op('Reshape', ['x', g.ints('shape', [0, 0, 3])])],
  [/\(Reshape\) reads nothing/, (g) => g.op('Reshape', ['', 'one'])],
  [/takes position 5 of axis 0 of a constant \[1\]/, (g) => g.op('Gather', ['one', g.ints('five', [5])])],
  [/takes step 0 of what a layer gives .*, where the last one was expected/, (g) => g.lstm().op('Gather', ['steps', g.ints('first', [0], [])], { axis: 0 })],
  [/asks for the sizes of zeros/, (g) => g.op('ConstantOfShape', ['one'], {}, 'z').op('Shape', ['z'])],
  [/repeats a constant that is not 0/, (g) => g.op('Expand', [g.numbers('c', [1]), 'one'])],
  [/repeats more than one axis/, (g) => g.lstm().op('Unsqueeze', ['h', 'one'], {}, 'row').op('Tile', ['row', g.ints('times', [1, 3, 2])])],
  [/repeats what a layer gives .*, where a row \[B, 1, N\]/, (g) => g.lstm().op('Tile', ['h', g.ints('times', [1, 3])])],
  // operations that make numbers
  [/holds no numbers/, (g) => g.op('Constant', [])],
  [/fills with a number that is not 0/, (g) => { g.nodes.push({ op_type: 'ConstantOfShape', input: ['one'], output: ['y'], attribute: [{ name: 'value', type: 4, t: { dims: [1], data_type: float32, float_data: [1] } }] }); return g; }],
  [/keeps numbers in another file/, (g) => { g.nodes.push({ op_type: 'Constant', output: ['y'], attribute: [{ name: 'value', type: 4, t: { dims: [1], data_type: float32, data_location: 1 } }] }); return g; }],
  [/cuts off the fractions of what a layer gives/, (g) => g.lstm().op('Cast', ['h'], { to: int64 }, 'i').op('Cast', ['i'], { to: float32 })],
  [/reads an input whose fractions a Cast before it cuts off/, (g) => g.op('Cast', ['x'], { to: int64 }, 'i').op('Cast', ['i'], { to: float32 }, 'f').lstm({}, [], 1, 'f')],
  [/cuts off the fractions of a constant \[2\]/, (g) => g.lstm().op('Cast', [g.numbers('bias', [2])], { to: int64 }, 'i').op('Add', ['h', 'i'])],
  [/\(Dropout\) is in training mode/, (g) => g.lstm().op('Dropout', ['h', g.numbers('ratio', []), 'one'])],
  // layers
  [/has axis 0, where the last one was expected/, (g) => g.lstm().op('Softmax', ['h'], { axis: 0 })],
  [/works on the axis of the batch, where the features were expected/, (g) => g.lstm().op('Transpose', ['h'], { perm: [1, 0] }, 't').op('Softmax', ['t'])],
  [/has what a layer gives .* as the matrix, where numbers of the file/, (g) => g.lstm().op('MatMul', ['h', 'h'])],
  [/has a constant \[1\] as an input, where what a layer gives/, (g) => g.op('Tanh', ['one'])],
  [/multiplies 2 features by \[3, 4\]/, (g) => g.lstm().op('MatMul', ['h', g.numbers('c', [3, 4])])],
  [/has transA, alpha or beta/, (g) => g.lstm().op('Gemm', ['h', g.numbers('c', [2, 2])], { alpha: { f: 2 } })],
  [/looks up what a layer gives .* in \[5, 2\], where integers \[B, T\]/, (g) => g.op('Gather', [g.numbers('c', [5, 2]), 'x'])],
  [/has another axis than 1/, (g) => g.op('Flatten', ['x'], { axis: 2 })],
  [/joins two layers, where the two directions of one were expected/, (g) => g.lstm().op('Add', ['h', 'h'])],
  [/reduces what a layer gives .*, where the directions/, (g) => g.op('ReduceSum', ['x', 'one'])],
  [/reduces 2 tensors in one, where the directions of a layer were expected/, (g) => g.lstm({}, [], 2).op('ReduceSum', ['all', 'zero'])],
  [/reduces something else than the two directions/, (g) => g.lstm().op('ReduceSum', ['all', 'one'])],
  [/subtracts from a constant \[1\]/, (g) => g.lstm().op('Sub', ['one', 'h'])],
  [/divides a constant \[1\]/, (g) => g.lstm().op('Div', ['one', 'h'])],
  [/has a constant \[3\] for 2 features/, (g) => g.lstm().op('Mul', ['h', g.numbers('c', [3])])],
  [/\(BatchNormalization\) is in training mode/, (g) => g.lstm().op('BatchNormalization', ['h'], { training_mode: 1 })],
  [/where the features on the second axis were expected/, (g) => g.lstm().op('Transpose', ['h'], { perm: [1, 0] }, 't').op('BatchNormalization', ['t'])],
  [/reads steps in the opposite order, as a layer that goes backwards leaves them/, (g) => g.lstm({ direction: 'reverse' }).op('Tanh', ['steps'])],
  [/one direction of all_LSTM \(LSTM\) is read by itself/, (g) => g.both().op('Tanh', ['back'])],
  [/has the steps of a layer that goes backwards/, (g) => g.both().op('Slice', ['all', g.ints('start', [-1]), g.ints('end', [-(2 ** 31)]), 'zero', 'start'], {}, 'turned').op('Transpose', ['turned'], { perm: [2, 0, 1, 3] }, 'sides').op('Reshape', ['sides', g.ints('shape', [0, 0, 4])])],
  // an LSTM
  [/has the direction sideways/, (g) => g.lstm({ direction: 'sideways' })],
  [/has a clip/, (g) => g.lstm({ clip: { f: 1 } })],
  [/has input_forget, coupled gates/, (g) => g.lstm({ input_forget: 1 })],
  [/has W \[1, 8, 2\] and R \[1, 8, 2\], which do not fit 2 directions/, (g) => g.lstm({ direction: 'bidirectional' })],
  [/has B \[1, 8\], expected was \[1, 16\]/, (g) => g.lstm({}, [g.numbers('B', [1, 8])])],
  [/has peepholes \(P\)/, (g) => g.lstm({}, ['', '', '', '', g.numbers('P', [1, 6])])],
  [/has sequence_lens, lengths that come with the inputs/, (g) => g.lstm({}, ['', g.ints('lengths', [3, 4])])],
  [/has a constant \[1, 2, 2\] as initial_h, where zeros or states \[1, B, U\]/, (g) => g.lstm({}, ['', '', g.numbers('h0', [1, 2, 2])])],
  [/reads 2 features, W has 3/, (g) => g.op('RNN', ['x', g.numbers('W', [1, 2, 3]), g.numbers('R', [1, 2, 2])], { hidden_size: 2 })],
  [/reads \[batch, features\], where \[time, batch, features\] was expected/, (g) => g.lstm().op('RNN', ['h', g.numbers('W2', [1, 2, 2]), g.numbers('R2', [1, 2, 2])], { hidden_size: 2 })],
  [/has 2 activations, expected were 3/, (g) => g.lstm({ activations: ['Sigmoid', 'Tanh'] })],
  [/has different activations of the candidate and of the cell state/, (g) => g.lstm({ activations: ['Sigmoid', 'Tanh', 'Relu'] })],
  [/has other activations in the second direction/, (g) => g.lstm({ activations: ['Sigmoid', 'Tanh', 'Tanh', 'Sigmoid', 'Relu', 'Relu'] }, [], 2)],
  [/has the activation hardsigmoid \(alpha 0\.25, beta 0\.5\)/, (g) => g.lstm({ activations: ['hardsigmoid', 'tanh', 'tanh'], activation_alpha: { floats: [0.25] }, activation_beta: { floats: [0.5] } })],
]; // prettier-ignore

describe('what an ONNX graph that is not read says', () => {
  for (const [says, build, input, graph] of rows)
    it(`names ${says.source}`, async () => {
      const error = await readOnnx(build(new Graph()).bytes(input, graph), 'm.onnx').catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(UsageError);
      expect((error as Error).message)
        .to.match(says)
        .and.match(/^m\.onnx.*\.$/);
    });

  it('is about --until where it names no operation', async () => {
    const bytes = new Graph().op('Tanh', ['x']).bytes();
    const error = await readOnnx(bytes, 'm.onnx', { until: 'b' }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).to.match(/^m\.onnx has no operation b for --until; it has y\/Tanh/);
  });

  it('is nothing where a Reshape gives the number of time steps that the input leaves open', async () => {
    const graph = new Graph();
    graph.op('Reshape', ['x', graph.ints('shape', [-1, 5, 2])], {}, 'five');
    graph.lstm({}, [], 1, 'five').op('Identity', ['h']);
    expect((await readOnnx(graph.bytes(), 'm.onnx')).inputs[0].shape).to.deep.equal([5, 2]);
  });
});
