import { parse } from 'protobufjs';

/**
 * The part of TensorFlow's protocol buffers that a graph written from JavaScript needs: field numbers and types as in
 * tensorflow/core/protobuf/{saved_model,meta_graph}.proto and tensorflow/core/framework/*.proto (TensorFlow 2.x).
 * Left-out fields have defaults that suit us.
 */
const schema = `
syntax = "proto3";
message ConfigProto {
  int32 intra_op_parallelism_threads = 2; int32 inter_op_parallelism_threads = 5; bool use_per_session_threads = 9;
}
message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraphDef meta_graphs = 2; }
message MetaGraphDef {
  message MetaInfoDef { repeated string tags = 4; string tensorflow_version = 5; }
  MetaInfoDef meta_info_def = 1; GraphDef graph_def = 2; map<string, SignatureDef> signature_def = 5;
}
message SignatureDef { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; string method_name = 3; }
message TensorInfo { string name = 1; int32 dtype = 2; Shape tensor_shape = 3; }
message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; FunctionDefLibrary library = 2; }
message VersionDef { int32 producer = 1; int32 min_consumer = 2; }
message NodeDef { string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, AttrValue> attr = 5; }
message AttrValue {
  message ListValue { repeated bytes s = 2; repeated int64 i = 3; repeated int32 type = 6; repeated Shape shape = 7; }
  oneof value {
    ListValue list = 1; bytes s = 2; int64 i = 3; float f = 4; bool b = 5; int32 type = 6; Shape shape = 7;
    TensorProto tensor = 8; NameAttrList func = 10;
  }
}
message NameAttrList { string name = 1; map<string, AttrValue> attr = 2; }
message Shape { message Dim { int64 size = 1; } repeated Dim dim = 2; bool unknown_rank = 3; }
message TensorProto { int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4; }
message FunctionDefLibrary { repeated FunctionDef function = 1; }
message FunctionDef { OpDef signature = 1; repeated NodeDef node_def = 3; map<string, string> ret = 4; }
message OpDef { message ArgDef { string name = 1; int32 type = 3; } string name = 1; repeated ArgDef input_arg = 2; repeated ArgDef output_arg = 3; }
`;

/** Wire form of one attribute: exactly one key. */
export type AttrValue =
  | { readonly type: number }
  | { readonly b: boolean }
  | { readonly f: number }
  | { readonly s: Uint8Array }
  | { readonly i: number }
  | { readonly shape: Shape }
  | { readonly tensor: { dtype: number; tensorShape: Shape; tensorContent: Uint8Array } }
  | { readonly func: { name: string } }
  | { readonly list: { type?: number[] } };

export interface Shape {
  readonly dim?: readonly { readonly size: number }[];
  readonly unknownRank?: boolean;
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, AttrValue>>;
}

export interface FunctionDef {
  readonly signature: {
    readonly name: string;
    readonly inputArg: readonly { readonly name: string; readonly type: number }[];
    readonly outputArg: readonly { readonly name: string; readonly type: number }[];
  };
  readonly nodeDef: readonly NodeDef[];
  readonly ret: Readonly<Record<string, string>>;
}

export interface TensorInfo {
  readonly name: string;
  readonly dtype: number;
  readonly tensorShape: Shape;
}

export interface SignatureDef {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
  readonly methodName: string;
}

export interface SavedModelParts {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
  readonly signatures: Readonly<Record<string, SignatureDef>>;
}

/** A graph version that TensorFlow 2.9 wrote; every later library reads it. */
const graphVersion = { producer: 1087, minConsumer: 12 };

const { root } = parse(schema);
const savedModelType = root.lookupType('SavedModel');
const configType = root.lookupType('ConfigProto');

/** The bytes of `saved_model.pb`: one graph under the tag `serve`. */
export function encodeSavedModel({ nodes, functions, signatures }: SavedModelParts): Uint8Array {
  const message = {
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: { node: nodes, versions: graphVersion, library: { function: functions } },
        signatureDef: signatures,
      },
    ],
  };
  return savedModelType.encode(message).finish();
}

/** The bytes of a ConfigProto: a session with threads of its own, or run in the caller's (only without its own is it). */
export function encodeSessionConfig(threads: {
  readonly intraOp: number;
  readonly interOp: number;
}): Uint8Array {
  return configType
    .encode({
      intraOpParallelismThreads: threads.intraOp,
      interOpParallelismThreads: threads.interOp,
      usePerSessionThreads: threads.interOp > 0,
    })
    .finish();
}
