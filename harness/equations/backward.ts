import type { Cell } from './cell';
import { gradientName } from './derive';
import { evaluate, evaluateTerms, sumAll, sumTerm, type Arriving } from './evaluate';
import {
  half,
  layerOf,
  observed,
  scopeOf,
  stepsOf,
  type Forward,
  type FromAbove,
  type Step,
} from './forward';
import { cellSizes, isRecurrent, outputWidth, type Layer } from './network';
import type { Block, Share, SumTerm } from './operations/index';
import { Quantities, takePart } from './quantities';
import type { CellSizes } from './weights';

/** Gradients of one layer. */
export interface LayerGradients<V> {
  readonly weights: ReadonlyMap<string, V>;
  readonly initial: ReadonlyMap<string, V>;
}

export interface Backward<V> {
  /** gradient with respect to x_t, at every t */ readonly inputs: readonly V[];
  readonly layers: ReadonlyMap<string, LayerGradients<V>>;
  readonly head?: ReadonlyMap<string, V>;
}

/** Walks back through layers and time, by the derived backward step of each cell. */
export function runBackward<V extends Block>(run: Forward<V>): Backward<V> {
  const { network, problem } = run;
  const timeSteps = problem.inputs.shape[1];
  const above = new Map<string, FromAbove<V>>();
  for (const name of ['inputs', ...network.layers.map((layer) => layer.name)])
    above.set(name, { sequence: Array.from({ length: timeSteps }, () => []), final: {} });
  const at = (name: string): FromAbove<V> => {
    const found = above.get(name);
    if (found === undefined) throw new Error(`runBackward: no layer ${name}`);
    return found;
  };
  addUpstream(run, at);
  const head = runHead(run, at);
  const layers = new Map<string, LayerGradients<V>>();
  for (const layer of network.layers.toReversed()) {
    if (isRecurrent(layer)) {
      const below = layer.on === 'last' ? { sequence: [finalOf(run, layer.reads, at)] } : at(layer.reads);
      const above = run.options.above?.(layer.name, at(layer.name)) ?? at(layer.name);
      layers.set(layer.name, backThroughLayer(run, layer, above, below));
    } else backThroughMerge(run, layer, at(layer.name), layer.of.map(at));
  }
  return {
    inputs: at('inputs').sequence.map((terms) => total(run, terms, network.features)),
    layers,
    ...(head !== undefined && { head }),
  };
}

function total<V extends Block>(
  { arithmetic, problem }: Forward<V>,
  terms: readonly SumTerm<V>[],
  width: number,
): V {
  const batch = problem.inputs.shape[0];
  return terms.length === 0
    ? arithmetic.given('', new Float64Array(batch * width), batch)
    : sumAll(arithmetic, terms);
}

/** What arrives at the final output of a layer. */
function finalOf<V extends Block>(
  run: Forward<V>,
  layer: string,
  at: (name: string) => FromAbove<V>,
): SumTerm<V>[] {
  const [output] = Object.keys(layerOf(run.layers, layer).final);
  return (at(layer).final[output] ??= []);
}

function addUpstream<V extends Block>(
  { problem, arithmetic }: Forward<V>,
  at: (name: string) => FromAbove<V>,
): void {
  for (const [name, { sequence, final }] of Object.entries(problem.upstream ?? {})) {
    if (sequence !== undefined)
      stepsOf(arithmetic, `upstream.${name}.sequence`, sequence).forEach((of, t) =>
        at(name).sequence[t].push({ sign: 1, of }),
      );
    for (const [carry, { data, shape }] of Object.entries(final ?? {}))
      (at(name).final[carry] ??= []).push({
        sign: 1,
        of: arithmetic.given(`upstream.${name}.final.${carry}`, data, shape[0]),
      });
  }
}

/** dLogits to the dense layer's weights, and on to the states that it reads. */
function runHead<V extends Block>(
  run: Forward<V>,
  at: (name: string) => FromAbove<V>,
): ReadonlyMap<string, V> | undefined {
  const { network, problem, arithmetic, loss } = run;
  const { head } = network;
  if (head === undefined || loss === undefined) return undefined;
  if (problem.labels === undefined && problem.targets === undefined) return undefined;
  const [batch, timeSteps] = problem.inputs.shape;
  const read = layerOf(run.layers, head.reads);
  const states = head.on === 'last' ? Object.values(read.final).slice(0, 1) : read.sequence;
  const parts = states.map((_, t) => arithmetic.rows(loss.dLogits, t * batch, (t + 1) * batch));
  parts.forEach((left, t) => {
    const into = head.on === 'last' ? finalOf(run, head.reads, at) : at(head.reads).sequence[t];
    if (head.direct === true) into.push({ sign: 1, of: left });
    else into.push({ sign: 1, left, weight: run.weight('head', 'kernel'), transposed: true });
  });
  if (head.on === 'steps' && states.length !== timeSteps) throw new Error('runHead: a state for every step');
  if (head.direct === true) return undefined;
  return new Map([
    ['kernel', arithmetic.outer(parts.map((right, t) => ({ left: states[t], right })))],
    ['bias', arithmetic.outer(parts.map((right) => ({ right })))],
  ]);
}

function backThroughLayer<V extends Block>(
  run: Forward<V>,
  layer: Extract<Layer, { cell: Cell }>,
  above: FromAbove<V>,
  below: Pick<FromAbove<V>, 'sequence'>,
): LayerGradients<V> {
  const { arithmetic } = run;
  const { steps } = layerOf(run.layers, layer.name);
  const sizes = cellSizes(run.network, layer);
  const shares = new Map<string, { weight: string; part?: readonly string[]; all: Share<V>[] }>();
  const nothing = { terms: [] };
  let later: Readonly<Record<string, Arriving<V>>> = {};
  steps.toReversed().forEach((step, back) => {
    const { t, cell } = step;
    const arriving = (name: string): Arriving<V> => {
      const fromAbove = [
        ...(name === cell.carries[0] ? above.sequence[t] : []),
        ...(back === 0 ? (above.final[name] ?? []) : []),
      ];
      const { terms, masked } = later[name] ?? nothing;
      return {
        terms: [...terms, ...fromAbove],
        ...(masked && { masked: { live: masked.live, terms: [...masked.terms, ...fromAbove] } }),
      };
    };
    const { before, input, ownShares } = backThroughStep(run, layer, step, sizes, arriving);
    later = before;
    below.sequence[t].push(...input);
    for (const { weight, part, share } of ownShares) {
      const key = [weight, ...(part ?? [])].join(' ');
      const group = shares.get(key) ?? { weight, ...(part && { part }), all: [] };
      group.all.push(share);
      shares.set(key, group);
    }
  });
  const initial = new Map(
    layer.cell.carries.map((carry) => [carry, resolve(run, later[carry] ?? nothing, layer.units)]),
  );
  const gradients = new Quantities(arithmetic, sizes);
  for (const { weight, part, all } of inOnePartition([...shares.values()], layer.cell, run, sizes))
    gradients.set(weight, layer.cell.weights[weight].columns, part, arithmetic.outer(all));
  return {
    initial,
    weights: new Map(
      Object.entries(layer.cell.weights).map(([name, { columns }]) => [
        name,
        gradients.get(name, columns, undefined),
      ]),
    ),
  };
}

/** What arrives, as one block. */
function resolve<V extends Block>(run: Forward<V>, { terms, masked }: Arriving<V>, width: number): V {
  const whole = total(run, terms, width);
  return masked === undefined
    ? whole
    : run.arithmetic.select(masked.live, whole, total(run, masked.terms, width));
}

interface SharesOf<V> {
  readonly weight: string;
  readonly part?: readonly string[];
  readonly all: readonly Share<V>[];
}

/** Shares of a weight that some steps give whole and others by parts, block by block. */
function inOnePartition<V extends Block>(
  groups: readonly SharesOf<V>[],
  { weights }: Cell,
  { arithmetic }: Forward<V>,
  sizes: CellSizes,
): readonly SharesOf<V>[] {
  return Object.entries(weights).flatMap(([weight, { columns }]) => {
    const own = groups.filter((group) => group.weight === weight);
    const blocks = own.flatMap(({ part }) => part ?? columns);
    if (new Set(blocks).size === blocks.length) return own;
    return columns.map((block) => ({
      weight,
      part: [block],
      all: own
        .filter(({ part = columns }) => part.includes(block))
        .flatMap(({ part = columns, all }) =>
          all.map((share) => ({
            ...share,
            right: takePart(arithmetic, share.right, part, [block], sizes),
          })),
        ),
    }));
  });
}

interface SentBack<V> {
  readonly before: Readonly<Record<string, Arriving<V>>>;
  readonly input: readonly SumTerm<V>[];
  readonly ownShares: readonly { weight: string; part?: readonly string[]; share: Share<V> }[];
}

function backThroughStep<V extends Block>(
  run: Forward<V>,
  { name: layer, units }: { readonly name: string; readonly units: number },
  step: Step<V>,
  sizes: { readonly features: number; readonly units: number },
  arriving: (name: string) => Arriving<V>,
): SentBack<V> {
  const { arithmetic, options } = run;
  const { cell, t, live } = step;
  const gradients = new Quantities(arithmetic, sizes);
  const scope = scopeOf(run, layer, step, sizes, { quantities: gradients, arriving });
  for (const { left, part, right } of cell.backward.equations) {
    const axis = cell.axes.get(left.slice(gradientName('').length)) ?? [];
    let value = evaluate(arithmetic, right, scope, part ?? axis);
    // a masked example takes no part in the step: no gradient reaches its quantities
    if (live !== undefined) value = arithmetic.select(live, value, zerosLike(run, value));
    gradients.set(
      left,
      axis,
      part,
      observed(options, { layer, name: left, t, ...(part && { part }) }, value),
    );
  }
  const before = Object.fromEntries(
    cell.carries.map((carry): [string, Arriving<V>] => {
      const terms = (cell.backward.toBefore[carry] ?? []).map((term) =>
        sumTerm(arithmetic, term, scope, ['U']),
      );
      if (live === undefined) return [carry, { terms }];
      // and what arrived at it is sent on unchanged
      const kept = resolve(run, arriving(carry), units);
      return [carry, { terms, masked: { live, terms: [{ sign: 1, of: kept }] } }];
    }),
  );
  return {
    before,
    input: cell.backward.toInput.map((term) => sumTerm(arithmetic, term, scope, ['F'])),
    ownShares: cell.backward.shares.map(({ weight, part, left, right }) => ({
      weight,
      ...(part && { part }),
      share: {
        ...(left && { left: evaluate(arithmetic, left, scope) }),
        right: evaluateTerms(arithmetic, [{ sign: 1, of: right }], scope, right.axis),
      },
    })),
  };
}

function zerosLike<V extends Block>({ arithmetic }: Forward<V>, { value, rows }: V): V {
  return arithmetic.given('', new Float64Array(value.length), rows);
}

function backThroughMerge<V extends Block>(
  run: Forward<V>,
  layer: Extract<Layer, { merge: string }>,
  above: FromAbove<V>,
  below: readonly FromAbove<V>[],
): void {
  const { arithmetic } = run;
  const ran = layer.of.map((name) => layerOf(run.layers, name));
  const width = outputWidth(run.network, layer.name);
  const split = (terms: readonly SumTerm<V>[], values: readonly V[]): readonly (readonly SumTerm<V>[])[] => {
    if (terms.length === 0 || layer.merge === 'sum') return [terms, terms];
    const d = total(run, terms, width);
    const times = (by: V): readonly SumTerm<V>[] => [
      { sign: 1, of: arithmetic.apply('product', [d, by], '') },
    ];
    if (layer.merge === 'mul') return [times(values[1]), times(values[0])];
    if (layer.merge === 'ave') return [times(half(arithmetic, d)), times(half(arithmetic, d))];
    const first = values[0].columns;
    return [
      [{ sign: 1, of: arithmetic.columns(d, 0, first) }],
      [{ sign: 1, of: arithmetic.columns(d, first, width) }],
    ];
  };
  above.sequence.forEach((terms, t) => {
    const parts = split(
      terms,
      ran.map(({ sequence }) => sequence[t]),
    );
    below.forEach(({ sequence }, i) => sequence[t].push(...parts[i]));
  });
  const outputs = ran.map(({ final }) => Object.keys(final)[0]);
  const parts = split(
    above.final['output'] ?? [],
    ran.map(({ final }, i) => final[outputs[i]]),
  );
  below.forEach(({ final }, i) => (final[outputs[i]] ??= []).push(...parts[i]));
}
