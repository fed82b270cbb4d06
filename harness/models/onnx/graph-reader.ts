import { UsageError } from '../../base/outcome';
import type { PlannedLayer, StoredTensor, WeightsByLayer } from '../assemble';
import type { ModelLayerConfig, Source } from '../description';
import { weightsOfDirections } from '../gates';
import type { Axis, From, Pile, Recurrent, Signal, Value } from './values';

/** A layer that is not a recurrent one. */
export interface Plain {
  readonly name: string;
  readonly kind: string;
  config: ModelLayerConfig;
  readonly reads: Source;
  weights: Readonly<Record<string, StoredTensor>>;
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
