import { parse } from 'protobufjs';

/**
 * The part of ONNX's protocol buffers that models of layers need: field numbers and types as in onnx/onnx.proto3. Subgraphs are left
 * out: an operation that has one is refused by its name.
 */
const schema = `
syntax = "proto3";
message Model {
  int64 ir_version = 1; string producer_name = 2; string producer_version = 3; Graph graph = 7;
  repeated OperatorSet opset_import = 8;
}
message OperatorSet { string domain = 1; int64 version = 2; }
message Graph {
  repeated Node node = 1; string name = 2; repeated TensorData initializer = 5; repeated Value input = 11; repeated Value output = 12;
}
message Node {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5;
  string domain = 7;
}
message Attribute {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorData t = 5; repeated float floats = 7; repeated int64 ints = 8;
  repeated bytes strings = 9; int32 type = 20;
}
message TensorData {
  repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4; repeated int32 int32_data = 5;
  repeated int64 int64_data = 7; string name = 8; bytes raw_data = 9; repeated double double_data = 10;
  repeated Entry external_data = 13; int32 data_location = 14;
}
message Entry { string key = 1; string value = 2; }
message Value { string name = 1; Type type = 2; }
message Type { TensorType tensor_type = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Shape { repeated Dimension dim = 1; }
message Dimension { int64 dim_value = 1; string dim_param = 2; }
`;

export interface OnnxModel {
  readonly ir_version: number;
  readonly producer_name: string;
  readonly producer_version: string;
  readonly graph: OnnxGraph | null;
  readonly opset_import: readonly { readonly domain: string; readonly version: number }[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly input: readonly OnnxValue[];
  readonly output: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly op_type: string;
  readonly domain: string;
  readonly name: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxAttribute {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t: OnnxTensor | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly Uint8Array[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly float_data: readonly number[];
  readonly int32_data: readonly number[];
  readonly int64_data: readonly number[];
  readonly double_data: readonly number[];
  readonly raw_data: Uint8Array;
  readonly external_data: readonly { readonly key: string; readonly value: string }[];
  readonly data_location: number;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: number;
      readonly shape: {
        readonly dim: readonly { readonly dim_value: number; readonly dim_param: string }[];
      } | null;
    } | null;
  } | null;
}

/** ONNX's numbers of element types. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

/** Element types without fractions: 8 to 64 bits with and without a sign, and bool. */
export const integerTypes: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13]);

/** ONNX's numbers of the kinds of attributes. */
export const attributeTypes = { f: 1, i: 2, s: 3, t: 4, floats: 6, ints: 7, strings: 8 } as const;

const modelType = parse(schema, { keepCase: true }).root.lookupType('Model');

/** @throws Error on bytes that are no message of this form */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  const message = modelType.decode(bytes);
  return modelType.toObject(message, { longs: Number, defaults: true, arrays: true }) as OnnxModel;
}

/** Whatever is left out has its default. */
export function encodeOnnx(model: object): Buffer {
  return Buffer.from(modelType.encode(modelType.fromObject(model)).finish());
}
