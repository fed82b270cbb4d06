import protobuf from 'protobufjs';
import type { ClassifierWeights, Tensor } from '../../../scratch/index';

/** The part of onnx.proto3 that this model needs; field numbers are those of ONNX. */
const schema = protobuf.parse(
  `
  syntax = "proto3";
  message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8; }
  message OperatorSet { string domain = 1; int64 version = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated TensorData initializer = 5;
                  repeated Value input = 11; repeated Value output = 12; }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; }
  message Attribute { string name = 1; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
  message TensorData { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message Value { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; string dim_param = 2; }
`,
  { keepCase: true },
).root;

const float32 = 1;
const int64 = 7;
const attributeTypes = { int: 2, ints: 7 };

/**
 * The classifier as an ONNX model: inputs [B, T, F] -> Transpose to [T, B, F] -> RNN (tanh) -> its last state
 * [1, B, U] -> Squeeze -> Gemm -> logits [B, C]. ONNX keeps weights transposed, one direction axis in front, and two
 * biases, of which the second is zero here:
 *   W [1, U, F] = kernel^T,  R [1, U, U] = recurrentKernel^T,  B [1, 2U] = (bias, 0).
 *
 * @returns the bytes of the file
 */
export function encodeOnnxClassifier(weights: ClassifierWeights): Uint8Array {
  const [features, units] = weights.kernel.shape;
  const [, classes] = weights.outputKernel.shape;
  const twoBiases = new Float64Array(2 * units);
  twoBiases.set(weights.bias.data);
  const model = {
    ir_version: 8,
    producer_name: 'rnn-parity',
    opset_import: [{ domain: '', version: 17 }],
    graph: {
      name: 'SimpleRNNClassifier',
      input: [value('inputs', ['B', 'T', features])],
      output: [value('logits', ['B', classes])],
      initializer: [
        constant('W', [1, units, features], transpose(weights.kernel)),
        constant('R', [1, units, units], transpose(weights.recurrentKernel)),
        constant('biases', [1, 2 * units], twoBiases),
        constant('outputKernel', [units, classes], weights.outputKernel.data),
        constant('outputBias', [classes], weights.outputBias.data),
        {
          name: 'directionAxis',
          dims: [1],
          data_type: int64,
          raw_data: new Uint8Array(BigInt64Array.of(0n).buffer),
        },
      ],
      node: [
        {
          op_type: 'Transpose',
          input: ['inputs'],
          output: ['timeMajor'],
          attribute: [{ name: 'perm', type: attributeTypes.ints, ints: [1, 0, 2] }],
        },
        {
          op_type: 'RNN',
          input: ['timeMajor', 'W', 'R', 'biases'],
          output: ['', 'lastState'],
          attribute: [{ name: 'hidden_size', type: attributeTypes.int, i: units }],
        },
        { op_type: 'Squeeze', input: ['lastState', 'directionAxis'], output: ['finalState'] },
        { op_type: 'Gemm', input: ['finalState', 'outputKernel', 'outputBias'], output: ['logits'] },
      ],
    },
  };
  const type = schema.lookupType('Model');
  return type.encode(type.fromObject(model)).finish();
}

function constant(name: string, dims: readonly number[], data: Float64Array) {
  return { name, dims, data_type: float32, raw_data: new Uint8Array(Float32Array.from(data).buffer) };
}

function value(name: string, shape: readonly (number | string)[]) {
  const dim = shape.map((size) => (typeof size === 'string' ? { dim_param: size } : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: float32, shape: { dim } } } };
}

function transpose({ data, shape: [rows, columns] }: Tensor): Float64Array {
  return Float64Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
}
