import { UsageError } from '../../base/outcome';
import type { PlannedLayer, StoredTensor, WeightsByLayer } from '../assemble';
import type { ModelLayerConfig, Source } from '../description';
import { weightsOfDirections } from '../gates';
import { show } from '../json';
import { attributeTypes, type OnnxAttribute, type OnnxNode } from './schema';
import {
  axesOf,
  inWords,
  place,
  type Axis,
  type From,
  type Pile,
  type Recurrent,
  type Signal,
  type Value,
} from './values';
import type { Constant } from './tensors';

/** A layer that is not a recurrent one. */
export interface Plain {
  readonly name: string;
  readonly kind: string;
  config: ModelLayerConfig;
  readonly reads: Source;
  weights: Readonly<Record<string, StoredTensor>>;
}

/** One node, and what it needs to know. */
export class Step {
  private called: string | undefined;

  constructor(
    readonly node: OnnxNode,
    /** as messages and layers call the node */ readonly plain: string,
    readonly graph: GraphReader,
  ) {}

  /** of the layer that the node becomes */
  get name(): string {
    return (this.called ??= this.graph.nameFor(this.plain));
  }

  input(i: number): Value | undefined {
    const name = this.node.input.at(i);
    if (i < 0 || name === undefined || name === '') return undefined;
    const found = this.graph.values.get(name);
    if (found === undefined) throw this.refuse(`reads ${show(name)}, which nothing before it gives`);
    return found;
  }

  /** @throws UsageError when it is something else */
  constant(i: number, what: string): Constant {
    const found = this.input(i);
    if (found?.kind === 'constant') return found;
    throw this.refuse(`has ${inWords(found)} as ${what}, where numbers of the file were expected`);
  }

  /** @throws UsageError when it is something else */
  signal(i: number, what = 'an input'): Signal {
    const found = this.input(i);
    if (found?.kind === 'signal') return found;
    throw this.refuse(`has ${inWords(found)} as ${what}, where what a layer gives was expected`);
  }

  /** The first input as what lies side by side along this axis. @throws UsageError when it is something else */
  pile(axis: number | undefined, verb: string, count?: number): Pile {
    const found = this.input(0);
    const isPile =
      found?.kind === 'pile' && axis !== undefined && place(axis, axesOf(found).length) === found.at;
    if (isPile && (count ?? found.parts.length) === found.parts.length) return found;
    throw this.refuse(`${verb} ${inWords(found)}, where the directions of a layer were expected`);
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.node.attribute.find((one) => one.name === name);
  }

  /** whole numbers: of an input, or of an attribute as older operations have them */
  integers(i: number, attribute: string): readonly number[] | undefined {
    if (i >= 0 && this.input(i) !== undefined) return Array.from(this.constant(i, attribute).data);
    const { ints } = this.attribute(attribute) ?? { ints: [] };
    return ints.length > 0 ? ints : undefined;
  }

  number(attribute: string, preset: number): number {
    const found = this.attribute(attribute);
    if (found === undefined) return preset;
    if (found.type !== attributeTypes.f && found.type !== attributeTypes.i)
      throw this.refuse(`has ${attribute} of the type ${found.type}, where one number was expected`);
    return found.type === attributeTypes.f ? found.f : found.i;
  }

  /** A shape as a list: numbers, and axes whose size is not known. */
  shape(i: number): readonly (number | Axis)[] {
    const value = this.input(i);
    return value?.kind === 'sizes' ? value.items : Array.from(this.constant(i, 'the shape').data);
  }

  /** Whether nothing else reads what this input holds. */
  isOnlyReader(i: number): boolean {
    return this.graph.counts.get(this.node.input[i]) === 1;
  }

  /** @throws UsageError when a constant that was made of others is beyond any model's */
  constantWithin(value: Constant): Constant {
    if (value.data.length > 2 ** 26) throw this.refuse(`makes ${value.data.length} numbers of constants`);
    return value;
  }

  /** What a layer gives that reads a signal; its axes are those of the signal unless they are given. */
  layer(
    signal: Signal,
    config: ModelLayerConfig,
    weights: Plain['weights'] = {},
    axes: readonly Axis[] = signal.axes,
  ): Signal {
    if (signal.flipped === true)
      throw this.refuse('reads steps in the opposite order, as a layer that goes backwards leaves them');
    if (config.layer !== 'embedding') checkFractions(signal, this);
    const { name, graph, node } = this;
    graph.add({ name, kind: node.op_type, config, reads: graph.sourceOf(signal.from), weights });
    return { kind: 'signal', from: { source: { of: name } }, axes };
  }

  refuse(what: string): UsageError {
    const { where, known } = this.graph;
    return new UsageError(
      `${where}: the operation ${show(this.node.name || this.plain)} (${this.node.op_type}) ${what}. Read are ${known.join(', ')} as layers have them; check what comes before it with --until OPERATION.`,
    );
  }
}

/** The layers that a graph becomes, while its nodes are read in order. */
export class GraphReader {
  private readonly slots: (Plain | Recurrent)[] = [];
  private readonly names = new Set<string>();
  readonly notes = new Set<string>();
  /** inputs of the graph, by their names here: whether they are integers */
  readonly inputs = new Map<string, boolean>();

  readonly values = new Map<string, Value>();
  /** how often each value is read */ readonly counts = new Map<string, number>();

  /** @param known the operations that are read */
  constructor(
    readonly where: string,
    readonly opset: number,
    readonly known: readonly string[],
  ) {}

  /** A name without slashes that is not taken yet. */
  nameFor(wanted: string): string {
    const plain = wanted.replace(/^\/+/, '').replaceAll('/', '_') || 'layer';
    let name = plain;
    for (let i = 1; this.names.has(name); i++) name = `${plain}_${i}`;
    this.names.add(name);
    return name;
  }

  add<L extends Plain | Recurrent>(layer: L): L {
    this.slots.push(layer);
    return layer;
  }

  find(name: string): Plain | undefined {
    return this.slots.find((slot): slot is Plain => slot.name === name && !('asked' in slot));
  }

  /** The source of a signal, which from now on is needed. */
  sourceOf(from: From): Source {
    if ('source' in from) return from.source;
    const { recurrent, what } = from;
    if ('direction' in from && (what !== 'all' || recurrent.weights.length === 2)) {
      const states = recurrent.config.layer === 'lstm' ? 2 : 1;
      if (what === 'all')
        throw new UsageError(
          `${this.where}: one direction of ${recurrent.name} (${recurrent.kind}) is read by itself, which is not supported; both side by side, their sum, product or mean are.`,
        );
      recurrent.asked.add('state');
      return { of: `${recurrent.name}#state`, state: from.direction * states + (what === 'c' ? 1 : 0) };
    }
    const key = `${what}:${'merge' in from ? from.merge : 'none'}`;
    recurrent.asked.add(key);
    return { of: `${recurrent.name}#${key}` };
  }

  /** Every layer with its weights, and the final names of sources. */
  finish(): {
    readonly layers: PlannedLayer[];
    readonly weights: WeightsByLayer;
    readonly rename: (source: Source) => Source;
  } {
    const final = new Map<string, Source>();
    const layers: PlannedLayer[] = [];
    const weights = new Map<string, Plain['weights']>();
    const rename = ({ of, state }: Source): Source => {
      const found = final.get(of) ?? { of };
      // the final state of a layer that gives nothing else is its output
      const isOutput = found.state === -1 && state === 0;
      return { of: found.of, ...(state !== undefined && !isOutput && { state }) };
    };
    for (const slot of this.slots)
      for (const { weights: own, ...made } of 'asked' in slot ? variantsOf(slot, final) : [slot]) {
        const { kind, reads } = slot;
        const states = 'asked' in slot ? slot.initialStates?.map(rename) : undefined;
        layers.push({ ...made, kind, reads: rename(reads), initialStates: states });
        weights.set(made.name, own);
      }
    return { layers, weights, rename };
  }
}

/** The layers that a recurrent operation becomes: one for each form in which it is read; the first gives the states. */
function variantsOf(slot: Recurrent, final: Map<string, Source>) {
  const { name, config, weights, asked } = slot;
  const isBoth = weights.length === 2;
  const keys = [...asked].filter((key) => key !== 'state').toSorted();
  const isOnlyState = keys.length === 0;
  if (isOnlyState && asked.size === 0) return [];
  if (isOnlyState) keys.push(isBoth ? 'h:concat' : 'h:none');
  final.set(`${name}#state`, { of: name, ...(isOnlyState && !isBoth && { state: -1 }) });
  return keys.map((key, i) => {
    const [what, merge] = key.split(':');
    const called = i === 0 ? name : `${name}:${what}`;
    final.set(`${name}#${key}`, { of: called });
    const one = { ...config, returnSequences: what === 'all' };
    return {
      name: called,
      weights: weightsOfDirections(weights),
      config: isBoth
        ? ({ layer: 'bidirectional', wrapped: one, mergeMode: merge as 'concat' } as const)
        : one,
      returnState: i === 0 && asked.has('state'),
    };
  });
}

/** Numbers that a Cast made whole are read by an embedding only. */
export function checkFractions({ isWhole }: Signal, step: Step): void {
  if (isWhole === true) throw step.refuse('reads an input whose fractions a Cast before it cuts off');
}

/** Gives axes the roles that an operation needs. */
export function unify(axes: readonly (Axis | undefined)[], roles: readonly Axis['role'][], step: Step): void {
  const isFit =
    axes.length === roles.length &&
    axes.every(
      (axis, i) => axis !== undefined && axis.parts === undefined && (axis.role ?? roles[i]) === roles[i],
    );
  if (!isFit)
    throw step.refuse(
      `reads [${axes.map((axis) => axis?.role ?? axis?.size ?? 'any').join(', ')}], where [${roles.join(', ')}] was expected`,
    );
  axes.forEach((axis, i) => (axis!.role = roles[i]!));
}

/** The axis with the features: the last one of what a product or an activation reads. */
export function featuresOf(signal: Signal, step: Step): Axis {
  const last = signal.axes[signal.axes.length - 1];
  if (last.role !== undefined && last.role !== 'features')
    throw step.refuse(`works on the axis of the ${last.role}, where the features were expected`);
  last.role = 'features';
  return last;
}

/** Changes what lies at the axes of a signal or pile. */
export function withAxes(value: Signal | Pile, axes: readonly (Axis | undefined)[]): Signal | Pile {
  const own = axes.filter((axis) => axis !== undefined);
  if (value.kind === 'signal') return { ...value, axes: own };
  return {
    ...value,
    at: axes.indexOf(undefined),
    parts: value.parts.map((part) => ({ ...part, axes: own })),
  };
}

/** Two directions of one operation as one signal. */
export function mergedDirections(
  parts: readonly Signal[],
  merge: 'concat' | 'sum' | 'mul' | 'ave',
): Signal | undefined {
  const [first, second] = parts;
  const [a, b] = parts.map(({ from }) => from);
  if (parts.length !== 2 || !('direction' in a) || !('direction' in b)) return undefined;
  if (a.recurrent !== b.recurrent || a.what !== b.what || a.what === 'c') return undefined;
  if (
    a.direction === b.direction ||
    (merge === 'concat' && a.direction !== 0) ||
    first.flipped !== second.flipped
  )
    return undefined;
  const axes = [...first.axes];
  const features = axes[axes.length - 1];
  if (merge === 'concat' && features.size !== null)
    axes[axes.length - 1] = { role: 'features', size: 2 * features.size };
  return {
    ...{ kind: 'signal', from: { recurrent: a.recurrent, what: a.what, merge }, axes },
    ...(first.flipped === true && { flipped: true }),
  };
}

export type Operation = (step: Step) => Value | Value[] | Promise<Value>;
