import type { ModelLayerConfig, Source } from '../description';
import { asObject, show, type Json } from '../json';
import { saveAgain, type Refuse } from './options';

/** A layer or an operation of a graph, as the file has it. */
export interface GraphNode {
  readonly kind: string;
  readonly name: string;
  readonly options: Json;
  readonly inbound: unknown;
}

/** What a layer of a graph reads. */
export interface Inbound {
  /** its input, then its initial states */ readonly sources: readonly Source[];
  /** the operation that makes its mask, where Keras 3 wrote that down */ readonly mask?: string;
}

/** What a layer reads, as its file says it. */
export function inboundOf({ name, inbound }: GraphNode, refuse: Refuse): Inbound {
  const nodes: readonly unknown[] = Array.isArray(inbound) ? inbound : [];
  if (nodes.length !== 1)
    throw refuse(`layer ${name} is used ${nodes.length} times, where once was expected`);
  const [node] = nodes;
  const { mask, others } = withoutMask(node, `layer ${name}`, refuse);
  const sources = sourcesIn(others, `layer ${name}`, refuse);
  if (sources.length === 0) throw refuse(`layer ${name} reads nothing`, saveAgain);
  return { sources, ...(mask !== undefined && { mask: mask.of }) };
}

/** A node of Keras 3 without its argument mask. */
function withoutMask(
  node: unknown,
  where: string,
  refuse: Refuse,
): { readonly mask?: Source | undefined; readonly others: unknown } {
  const { kwargs, ...others } = asObject(node);
  const { mask, ...keywords } = asObject(kwargs);
  if (asObject(mask)['class_name'] !== '__keras_tensor__') return { others: node };
  return { mask: sourcesIn(mask, where, refuse).at(0), others: { ...others, kwargs: keywords } };
}

/** The operations of a Keras 3 model that make nothing but masks, by their names. */
export function maskOperations<T extends GraphNode>(
  nodes: readonly T[],
  refuse: Refuse,
): ReadonlyMap<string, T> {
  const operations = nodes.filter(({ kind }) => kind === 'NotEqual' || kind === 'Any');
  if (operations.length === 0) return new Map();
  const others = nodes.filter((one) => one.kind !== 'InputLayer' && !operations.includes(one));
  const read = new Set(others.flatMap((one) => inboundOf(one, refuse).sources.map(({ of }) => of)));
  return new Map(operations.flatMap((one) => (read.has(one.name) ? [] : [[one.name, one]])));
}

/**
 * Whether an operation gives the mask that a layer makes: x != maskValue in any feature of a Masking layer, integer != 0 of an Embedding.
 * Keras 3 writes the masks that layers pass on into a functional model so.
 */
export function isMaskOf(
  operation: string,
  operations: ReadonlyMap<string, GraphNode>,
  { config, reads }: { readonly config: ModelLayerConfig; readonly reads: Source },
): boolean {
  const isMasking = config.layer === 'masking';
  const { axis, keepdims = false, ...any } = operandsOf(operations.get(operation), 'Any');
  if (isMasking && !(axis === -1 && keepdims === false)) return false;
  const [of] = Array.isArray(any.history) ? (any.history as unknown[]) : [];
  const { history, other } = operandsOf(operations.get(isMasking ? String(of) : operation), 'NotEqual');
  const read = [reads.of, 0, reads.state === undefined ? 0 : reads.state + 1];
  return JSON.stringify(history) === JSON.stringify(read) && other === (isMasking ? config.maskValue : 0);
}

/** What an operation of that kind reads: where its tensor is from, its other operand, and its options. */
function operandsOf(node: GraphNode | undefined, kind: string): Json {
  if (node?.kind !== kind) return {};
  const [call] = Array.isArray(node.inbound) ? (node.inbound as unknown[]) : [];
  const { args } = asObject(call);
  const [tensor, other] = Array.isArray(args) ? (args as unknown[]) : [];
  return { ...node.options, history: asObject(asObject(tensor)['config'])['keras_history'], other };
}

/**
 * The tensors that a node names: `["lstm", 0, 0]` in any nesting (Keras 2, TensorFlow.js; a fourth entry holds keyword arguments), or
 * Keras 3's `{ class_name: "__keras_tensor__", config: { keras_history: ["lstm", 0, 0] } }`.
 */
export function sourcesIn(node: unknown, where: string, refuse: Refuse): Source[] {
  if (Array.isArray(node)) {
    const [name, nodeIndex, tensorIndex, keywords] = node as unknown[];
    if (typeof name !== 'string' || typeof nodeIndex !== 'number')
      return node.flatMap((one: unknown) => sourcesIn(one, where, refuse));
    if (nodeIndex !== 0)
      throw refuse(
        `${where} reads the use number ${nodeIndex + 1} of the layer ${name}, where once was expected`,
      );
    if (typeof tensorIndex !== 'number' || !Number.isSafeInteger(tensorIndex) || tensorIndex < 0)
      throw refuse(`${where} reads ${show(node)}`, saveAgain);
    const source: Source = tensorIndex === 0 ? { of: name } : { of: name, state: tensorIndex - 1 };
    return [source, ...keywordSources(keywords, where, refuse)];
  }
  const { class_name: kind, config, args, kwargs } = asObject(node);
  if (kind === '__keras_tensor__') return sourcesIn(asObject(config)['keras_history'], where, refuse);
  // outputs of a model by name
  if (args === undefined && kwargs === undefined)
    return Object.values(asObject(node)).flatMap((one) => sourcesIn(one, where, refuse));
  return [...sourcesIn(args, where, refuse), ...keywordSources(kwargs, where, refuse)];
}

function keywordSources(keywords: unknown, where: string, refuse: Refuse): Source[] {
  const { initial_state: states, mask, ...others } = asObject(keywords);
  if (sourcesIn(mask, where, refuse).length > 0) throw refuse(`${where} gets a mask as a tensor of its own`);
  for (const [name, value] of Object.entries(others))
    if (sourcesIn(value, where, refuse).length > 0)
      throw refuse(`${where} gets a tensor as its argument ${name}`);
  return sourcesIn(states, where, refuse);
}

/** Whether a node has the keyword training=True, at any depth. */
export function isCalledTraining(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(isCalledTraining);
  const { training, ...others } = asObject(node);
  return training === true || Object.values(others).some(isCalledTraining);
}
