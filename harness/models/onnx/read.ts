import { UsageError } from '../../base/outcome';
import { assemble } from '../assemble';
import type { ModelDescription, Source } from '../description';
import { show } from '../json';
import type { ReadOptions } from '../keras/read';
import { GraphReader } from './graph-reader';
import { Step } from './step';
import { operations } from './operations';
import { decodeOnnx, integerTypes, type OnnxModel } from './schema';
import { constantOf, externalFiles } from './tensors';
import { inWords, type Axis, type Signal, type Value } from './values';

const most = { nodes: 20_000, axes: 3 };

/** Whether the bytes may be an ONNX model: it begins with its version as a small number. */
export const isOnnx = (bytes: Buffer): boolean =>
  bytes.length > 16 && bytes[0] === 8 && bytes[1] > 0 && bytes[1] < 32;

/**
 * An ONNX model whose operations are layers: LSTM, GRU and RNN with what stands around them. Nothing in it is executed; numbers in other
 * files are read from the folder of the model only.
 *
 * @param where the path of the file
 * @throws UsageError that names the first operation that is not read
 */
export async function readOnnx(
  bytes: Buffer,
  where: string,
  { until }: ReadOptions = {},
): Promise<ModelDescription> {
  let model: OnnxModel;
  try {
    model = decodeOnnx(bytes);
  } catch (error) {
    throw new UsageError(
      `${where} is not a sound ONNX file (${(error as Error).message}); save the model again.`,
      {
        cause: error,
      },
    );
  }
  const { graph } = model;
  const opset = model.opset_import.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  if (graph === null || opset === undefined || graph.node.length === 0 || graph.node.length > most.nodes)
    throw new UsageError(
      `${where} is no ONNX model that is read: it has ${graph?.node.length ?? 0} operations of ONNX; save the model again.`,
    );
  const reader = new GraphReader(where, opset, Object.keys(operations));
  const { values, counts } = reader;
  const external = externalFiles(where);
  for (const tensor of graph.initializer) values.set(tensor.name, await constantOf(tensor, where, external));
  const inputs = graph.input
    .filter(({ name }) => !values.has(name))
    .map(({ name, type }) => {
      const dims = type?.tensor_type?.shape?.dim;
      if (dims === undefined || dims.length < 2 || dims.length > most.axes)
        throw new UsageError(
          `${where}: the input ${show(name)} has ${dims === undefined ? 'an unknown number of' : dims.length} axes, where [B, T, F], [B, T] or [B, F] was expected; export the model with a shape of its inputs.`,
        );
      const axes = dims.map(({ dim_value: size }): Axis => ({ size: size > 0 ? size : null }));
      const own = reader.nameFor(name);
      reader.inputs.set(own, integerTypes.has(type!.tensor_type!.elem_type));
      values.set(name, { kind: 'signal', from: { source: { of: own } }, axes });
      return { name: own, axes, given: name };
    });
  for (const name of [...graph.node.flatMap(({ input }) => input), ...graph.output.map((one) => one.name)])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  let last: Value | undefined;
  let isCut = false;
  for (const node of graph.node) {
    const named = node.name === '' ? (node.output.find((name) => name !== '') ?? node.op_type) : node.name;
    const plain = named.replace(/^\/+/, '').replaceAll('/', '_');
    if (until !== undefined && (named === until || plain === until)) {
      isCut = true;
      break;
    }
    const results = await run(new Step(node, plain, reader));
    node.output.forEach((name, i) => {
      if (name !== '' && results[i] !== undefined) values.set(name, results[i]);
    });
    if (results[0]?.kind === 'signal' || results[0]?.kind === 'pile') [last] = results;
  }
  if (until !== undefined && !isCut)
    throw new UsageError(
      `${where} has no operation ${until} for --until; it has ${graph.node
        .slice(0, 40)
        .map(({ name }) => name)
        .join(', ')}.`,
    );
  const outputs = isCut
    ? sourcesOf(last, 'what comes before', reader, where)
    : graph.output.flatMap(({ name }) => sourcesOf(values.get(name), name, reader, where));
  return describe(model, inputs, outputs, reader, isCut ? until : undefined);
}

function describe(
  { producer_name: by, producer_version: version }: OnnxModel,
  given: readonly { readonly name: string; readonly axes: readonly Axis[]; readonly given: string }[],
  outputs: readonly Source[],
  reader: GraphReader,
  until: string | undefined,
): ModelDescription {
  const { where } = reader;
  const { layers, weights, rename } = reader.finish();
  const notes = [...reader.notes];
  const inputs = given.map(({ name, axes, given: theirs }) => {
    const at = axes.findIndex(({ role }) => role === 'batch');
    const [, ...sizes] = [axes[Math.max(at, 0)], ...axes.filter((_, i) => i !== Math.max(at, 0))];
    if (at > 0) notes.push(`the input ${theirs} of the file is [T, B, F]; here the batch comes first`);
    return { name, shape: sizes.map(({ size }) => size) };
  });
  if (layers.length === 0)
    throw new UsageError(`${where} has no layer: its outputs do not depend on its inputs.`);
  if (until !== undefined) notes.push(`only what comes before the operation ${until} was read`);
  const writtenBy = [by || 'ONNX', version].join(' ').trim().slice(0, 80);
  const plan = { inputs, layers, outputs: outputs.map(rename) };
  return assemble({ format: 'onnx', writtenBy, notes }, plan, weights, where);
}

/** Outputs: a layer, or states in one tensor, which become one output each. */
function sourcesOf(value: Value | undefined, name: string, reader: GraphReader, where: string): Source[] {
  const one = (signal: Signal): Source => {
    if (signal.flipped === true)
      throw new UsageError(
        `${where}: the output ${show(name)} has the steps of a layer that goes backwards where they were read, which is not supported; turn them round, or take the last one.`,
      );
    const [first] = signal.axes;
    if (first.role === 'time')
      reader.notes.add(`the output ${name} of the file is [T, B, N]; here the batch comes first`);
    if (signal.axes.some(({ parts }) => parts !== undefined))
      reader.notes.add(
        `the output ${name} of the file has the rows of all steps below each other; here it is [B, T, N]`,
      );
    return reader.sourceOf(signal.from);
  };
  if (value?.kind === 'signal') return [one(value)];
  if (value?.kind === 'pile') {
    reader.notes.add(
      `the output ${name} of the file is ${value.parts.length} states in one tensor; here each is an output`,
    );
    return value.parts.map(one);
  }
  throw new UsageError(
    `${where}: the output ${show(name)} is ${inWords(value)}, where what a layer gives was expected.`,
  );
}

async function run(step: Step): Promise<(Value | undefined)[]> {
  const { domain, op_type: kind } = step.node;
  const isOwn = (domain === '' || domain === 'ai.onnx') && Object.hasOwn(operations, kind);
  if (!isOwn) throw step.refuse(domain === '' ? 'is not read' : `of ${show(domain)} is not read`);
  const result = await operations[kind](step);
  return Array.isArray(result) ? result : [result];
}
