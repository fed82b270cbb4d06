import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { Arithmetic, LossOutcome } from './arithmetics/arithmetic';
import type { Cell } from './cell';
import { evaluate, sumAll, type Arriving, type Scope } from './evaluate';
import type { Axis } from './expression';
import { columnsOf, type Matrix } from './matrix';
import {
  cellSizes,
  checkProblem,
  isRecurrent,
  tensorsOf,
  type Layer,
  type Network,
  type NetworkProblem,
} from './network';
import type { Block, SumTerm } from './operations/index';
import { Quantities, takePart } from './quantities';
import type { CellSizes } from './weights';

/** Which number the runner has just computed: `c` or `dc` of a layer at a step, the logits. */
export interface Place {
  readonly layer: string;
  readonly name: string;
  /** counted from 0, in the order of the inputs, also in a reversed layer */ readonly t?: number;
  /** where only a part of the quantity was computed */ readonly part?: Axis;
}

export interface RunOptions<V extends Block> {
  /** is shown every quantity as soon as it is computed, and says what the run goes on with */
  readonly observe?: (place: Place, value: V) => V;
  /** another cell than the layer's at some steps: how a fault at one time step is run */
  readonly cellAt?: (layer: string, t: number) => Cell | undefined;
  /** is shown every recurrent layer when it ran, and says what the run goes on with */
  readonly ran?: (layer: string, ran: Ran<V>) => Ran<V>;
  /** the mask [B, T] that a recurrent layer has instead of the problem's */
  readonly maskOf?: (layer: string) => Tensor | undefined;
  /** is shown what arrives at a recurrent layer from above, and says what its walk back begins with */
  readonly above?: (layer: string, above: FromAbove<V>) => FromAbove<V>;
}

/** Terms that arrive at the outputs of a layer from above: at every step, and at the final carries. */
export interface FromAbove<V> {
  readonly sequence: SumTerm<V>[][];
  readonly final: Record<string, SumTerm<V>[]>;
}

/** One step of a recurrent layer as it ran. */
export interface Step<V extends Block> {
  readonly t: number;
  readonly cell: Cell;
  readonly input: V;
  /** carries before the step */ readonly before: Readonly<Record<string, V>>;
  readonly quantities: Quantities<V>;
  /** 1 where the example takes part [B]; undefined when all do */ readonly live?: Uint8Array;
}

export interface Ran<V extends Block> {
  /** output at every t */ readonly sequence: readonly V[];
  /** carries after the last step; of merged layers, `output` */ readonly final: Readonly<Record<string, V>>;
  /** in the order in which they ran; none of merged layers */ readonly steps: readonly Step<V>[];
}

export interface Forward<V extends Block> {
  readonly network: Network;
  readonly problem: NetworkProblem;
  readonly arithmetic: Arithmetic<V>;
  readonly options: RunOptions<V>;
  readonly inputs: readonly V[];
  readonly layers: ReadonlyMap<string, Ran<V>>;
  /** of the last state, or of all steps one below the other (step by step) */ readonly logits?: V;
  readonly loss?: LossOutcome<V>;
  readonly weight: (layer: string, name: string, part?: Axis) => V;
  readonly vector: (layer: string, name: string, part?: Axis) => V;
}

/**
 * Walks forward through layers and time in any arithmetic.
 *
 * @throws RangeError for a problem that does not fit the network
 */
export function runForward<V extends Block>(
  network: Network,
  problem: NetworkProblem,
  arithmetic: Arithmetic<V>,
  options: RunOptions<V> = {},
): Forward<V> {
  checked(network)(problem);
  const [batch, timeSteps] = problem.inputs.shape;
  const inputs = stepsOf(arithmetic, 'inputs', problem.inputs);
  const weights = weightsOf(network, problem, arithmetic, batch);
  const layers = new Map<string, Ran<V>>();
  const inputsOf = ({ reads, on }: Extract<Layer, { cell: Cell }>): readonly V[] => {
    if (reads === 'inputs') return inputs;
    const { sequence, final } = layerOf(layers, reads);
    return on === 'last' ? [Object.values(final)[0]] : sequence;
  };
  const base = { network, problem, arithmetic, options, inputs, layers, ...weights };
  for (const layer of network.layers) {
    const ran = isRecurrent(layer) ? runLayer(base, layer, inputsOf(layer)) : runMerge(base, layer);
    layers.set(layer.name, isRecurrent(layer) ? (options.ran?.(layer.name, ran) ?? ran) : ran);
  }
  const { head } = network;
  if (head === undefined) return base;
  const read = layerOf(layers, head.reads);
  const states = head.on === 'last' ? [Object.values(read.final)[0]] : read.sequence;
  const plain = states.map((state) =>
    head.direct === true
      ? state
      : arithmetic.sum(
          [
            { sign: 1, left: state, weight: weights.weight('head', 'kernel'), transposed: false },
            { sign: 1, of: weights.vector('head', 'bias'), bias: true },
          ],
          false,
        ),
  );
  const seen = plain.map((value, t) =>
    observed(options, { layer: 'head', name: 'logits', ...(head.on === 'steps' && { t }) }, value),
  );
  const logits = arithmetic.below(seen);
  return {
    ...base,
    logits,
    loss: arithmetic.loss(head.loss, logits, targetOf(network, problem, batch, timeSteps)),
  };
}

/** A problem is run many times: in every arithmetic, and with every mistake. */
const checked = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => {
    checkProblem(network, problem);
  }),
);

export function observed<V extends Block>({ observe }: RunOptions<V>, place: Place, value: V): V {
  return observe === undefined ? value : observe(place, value);
}

export function layerOf<V extends Block>(layers: ReadonlyMap<string, Ran<V>>, name: string): Ran<V> {
  const layer = layers.get(name);
  if (layer === undefined)
    throw new RangeError(
      `layer ${name} is read before it ran; a layer reads ${[...layers.keys()].join(', ') || 'inputs'}`,
    );
  return layer;
}

/** A tensor [B, T, n] step by step, each [B, n]. */
export function stepsOf<V extends Block>(
  arithmetic: Arithmetic<V>,
  path: string,
  { data, shape }: { readonly data: Matrix; readonly shape: readonly number[] },
): V[] {
  const [batch, timeSteps, n] = shape;
  const whole = arithmetic.given(path, data, batch);
  return Array.from({ length: timeSteps }, (_, t) => arithmetic.columns(whole, t * n, (t + 1) * n));
}

function weightsOf<V extends Block>(
  network: Network,
  problem: NetworkProblem,
  arithmetic: Arithmetic<V>,
  batch: number,
): Pick<Forward<V>, 'weight' | 'vector'> {
  const tensors = tensorsOf(problem);
  const known = new Map<string, V>();
  const once = (key: string, make: () => V): V => {
    const made = known.get(key) ?? make();
    known.set(key, made);
    return made;
  };
  const weight = (layer: string, name: string, part?: Axis): V =>
    once([layer, name, ...(part ?? [])].join('.'), () => {
      const path = `${layer}.${name}`;
      const tensor = tensors.get(`weights.${path}`);
      if (tensor === undefined) throw new Error(`runForward: no weight ${path}`);
      const rows = tensor.shape.length === 1 ? 1 : tensor.shape[0];
      const whole = once(path, () => arithmetic.given(path, tensor.data, rows));
      const found = network.layers.find((one) => one.name === layer);
      if (part === undefined || found === undefined || !isRecurrent(found)) return whole;
      return takePart(arithmetic, whole, found.cell.weights[name].columns, part, cellSizes(network, found));
    });
  return {
    weight,
    vector: (layer, name, part) =>
      once(['vector', layer, name, ...(part ?? [])].join('.'), () =>
        arithmetic.below(new Array<V>(batch).fill(weight(layer, name, part))),
      ),
  };
}

function runLayer<V extends Block>(
  run: Forward<V>,
  layer: Extract<Layer, { cell: Cell }>,
  inputs: readonly V[],
): Ran<V> {
  const { network, problem, arithmetic, options } = run;
  const { name } = layer;
  const batch = problem.inputs.shape[0];
  const mask = options.maskOf === undefined ? problem.mask : options.maskOf(name);
  const sizes = cellSizes(network, layer);
  let carried: Readonly<Record<string, V>> = Object.fromEntries(
    layer.cell.carries.map((carry) => {
      const given = problem.initialStates?.[name]?.[carry];
      const data = given?.data ?? new Float64Array(batch * layer.units);
      return [
        carry,
        arithmetic.given(given === undefined ? '' : `initialStates.${name}.${carry}`, data, batch),
      ];
    }),
  );
  const sequence = new Array<V>(inputs.length);
  const steps: Step<V>[] = [];
  for (const t of order(inputs.length, layer.reversed === true)) {
    const cell = options.cellAt?.(name, t) ?? layer.cell;
    const live = layer.on === 'last' || layer.unmasked === true ? undefined : liveAt(mask, t);
    const quantities = new Quantities(arithmetic, sizes);
    const step: Step<V> = { t, cell, input: inputs[t], before: carried, quantities, ...(live && { live }) };
    const scope = scopeOf(run, name, step, sizes);
    for (const { left, part, right } of cell.equations) {
      const axis = cell.axes.get(left) ?? [];
      let value = evaluate(arithmetic, right, scope, part ?? axis);
      if (live !== undefined && left in carried) value = arithmetic.select(live, value, carried[left]);
      const place = { layer: name, name: left, t, ...(part !== undefined && { part }) };
      quantities.set(left, axis, part, observed(options, place, value));
    }
    carried = Object.fromEntries(
      cell.carries.map((carry) => [carry, quantities.get(carry, cell.axes.get(carry) ?? [], undefined)]),
    );
    sequence[t] = carried[cell.carries[0]];
    steps.push(step);
  }
  return { sequence, final: carried, steps };
}

export function order(timeSteps: number, reversed: boolean): number[] {
  const forward = Array.from({ length: timeSteps }, (_, t) => t);
  return reversed ? forward.reverse() : forward;
}

function liveAt(mask: Tensor | undefined, t: number): Uint8Array | undefined {
  if (mask === undefined) return undefined;
  const [batch, timeSteps] = mask.shape;
  const live = Uint8Array.from({ length: batch }, (_, b) => (mask.data[b * timeSteps + t] === 0 ? 0 : 1));
  return live.includes(0) ? live : undefined;
}

/** The names of one step, forward; the backward pass adds gradients and what arrives. */
export function scopeOf<V extends Block>(
  run: Forward<V>,
  layer: string,
  { cell, input, before, quantities }: Step<V>,
  sizes: CellSizes,
  gradients?: { readonly quantities: Quantities<V>; readonly arriving: (name: string) => Arriving<V> },
): Scope<V> {
  return {
    rows: input.rows,
    sizes,
    quantity(name, when, part) {
      if (name === 'x') return input;
      if (when === 'before') return before[name];
      const axis = cell.axes.get(name);
      if (axis !== undefined) return quantities.get(name, axis, part);
      if (gradients === undefined) throw new Error(`scopeOf: no quantity ${name}`);
      return gradients.quantities.get(name, cell.axes.get(name.slice(1)) ?? [], part);
    },
    arriving(name) {
      if (gradients === undefined) throw new Error(`scopeOf: nothing arrives at ${name} in the forward pass`);
      return gradients.arriving(name);
    },
    weight: (name, part) => run.weight(layer, name, part),
    vector: (name, part) => run.vector(layer, name, part),
  };
}

function runMerge<V extends Block>(run: Forward<V>, layer: Extract<Layer, { merge: string }>): Ran<V> {
  const { arithmetic, options } = run;
  const [one, other] = layer.of.map((name) => layerOf(run.layers, name));
  const merge = (a: V, b: V): V => {
    const terms = [
      { sign: 1, of: a },
      { sign: 1, of: b },
    ] as const;
    if (layer.merge === 'concat') return arithmetic.sideBySide([a, b]);
    if (layer.merge === 'mul') return arithmetic.apply('product', [a, b], '');
    if (layer.merge === 'sum') return sumAll(arithmetic, terms);
    return arithmetic.apply('product', [sumAll(arithmetic, terms), half(arithmetic, a)], '');
  };
  return {
    sequence: one.sequence.map((a, t) =>
      observed(options, { layer: layer.name, name: 'output', t }, merge(a, other.sequence[t])),
    ),
    final: { output: merge(Object.values(one.final)[0], Object.values(other.final)[0]) },
    steps: [],
  };
}

/** 1/2 in every place of a block like `a`: multiplying by it rounds nothing. */
export function half<V extends Block>(arithmetic: Arithmetic<V>, a: V): V {
  return arithmetic.given('', new Float64Array(a.value.length).fill(0.5), a.rows);
}

/** What the logits are compared with; rows of steps are one below the other, step by step. */
function targetOf(
  { head }: Network,
  problem: NetworkProblem,
  batch: number,
  timeSteps: number,
): {
  labels?: readonly number[];
  values?: Matrix;
  live?: Uint8Array;
} {
  const { labels, targets, mask } = problem;
  if (head?.on !== 'steps') return { ...(labels && { labels }), ...(targets && { values: targets.data }) };
  const rows = Array.from(
    { length: batch * timeSteps },
    (_, i) => (i % batch) * timeSteps + Math.floor(i / batch),
  );
  return {
    ...(labels && { labels: rows.map((i) => labels[i]) }),
    ...(targets && {
      values: Float64Array.from(
        rows.flatMap((i) => Array.from(columnsOf(targets.data, 1, i * head.classes, (i + 1) * head.classes))),
      ),
    }),
    ...(mask && { live: Uint8Array.from(rows, (i) => (mask.data[i] === 0 ? 0 : 1)) }),
  };
}
