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
  const found = operations.get(operation);
  if (config.layer === 'embedding') return isNotEqual(found, reads, 0);
  if (config.layer !== 'masking' || found?.kind !== 'Any') return false;
  const { axis, keepdims = false } = found.options;
  const [inner] = argumentsOf(found);
  const [of = ''] = asTexts(asObject(asObject(inner)['config'])['keras_history']);
  return axis === -1 && keepdims === false && isNotEqual(operations.get(of), reads, config.maskValue);
}

function isNotEqual(found: GraphNode | undefined, reads: Source, value: number): boolean {
  if (found?.kind !== 'NotEqual') return false;
  const [tensor, other] = argumentsOf(found);
  const history = asObject(asObject(tensor)['config'])['keras_history'];
  const place = reads.state === undefined ? 0 : reads.state + 1;
  return JSON.stringify(history) === JSON.stringify([reads.of, 0, place]) && other === value;
}

const argumentsOf = ({ inbound }: GraphNode): readonly unknown[] => {
  const [node] = Array.isArray(inbound) ? (inbound as unknown[]) : [];
  const { args } = asObject(node);
  return Array.isArray(args) ? args : [];
};

const asTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

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
