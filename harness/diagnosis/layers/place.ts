import type { Tensor } from '../../../scratch/index';
import type { Phase } from '../../base/problem';
import { ulpsBetween } from '../../base/ulps';
import { stepsOfNetwork, type NetworkStep, type PrecisionModel } from '../../budget/index';
import {
  formulaOf,
  isGradientName,
  isRecurrent,
  type Layer,
  type Network,
  type NetworkProblem,
} from '../../equations/index';
import { judgeNumbers } from '../../judge/index';
import type { WrongNumber } from '../diagnosis';

/** Where the first wrong number of an answer is, in the order of the computation. */
export interface LayerPlace {
  /** a layer's name, or `head` */ readonly layer?: string;
  /** the quantity without its layer: `h`, `dz[f]`, `gradients.kernel`, `logits` */ readonly quantity: string;
  /** its whole name, as `evaluateNetwork` has it */ readonly name: string;
  readonly formula: string;
  readonly phase: Phase;
  /** where only one gate is wrong of itself */ readonly gate?: string;
  /** the steps whose own equation is wrong, counted from 0; absent where there are none, or they cannot be seen */
  readonly timeSteps?: readonly number[];
  readonly worst: WrongNumber;
}

interface WrongSteps {
  readonly name: string;
  readonly step: NetworkStep;
  readonly allowed: Float64Array;
  /** the elements that rounding does not explain */ readonly wrong: readonly number[];
}

/**
 * The first quantity, in the order of the computation, that does not follow from the answer's own numbers before it: forward from the
 * first layer to the last, then backward from the last layer to the first.
 *
 * @param answer to the problem, or to `askedForSteps(network, problem)`: then inner gradients are seen as well
 * @returns undefined where every equation holds
 */
export function placeOf(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  model: PrecisionModel,
): LayerPlace | undefined {
  const steps = stepsOfNetwork(network, problem, answer, model);
  const inOrder = [...steps].sort(([one], [other]) => rankOf(network, one) - rankOf(network, other));
  let first: WrongSteps | undefined;
  const alike: WrongSteps[] = [];
  for (const [name, step] of inOrder) {
    if (first !== undefined && !isBlockBeside(first.name, name)) continue;
    const found = wrongElements(name, step, model);
    if (found === undefined) continue;
    first ??= found;
    alike.push(found);
  }
  return first && describe(network, first, alike, model);
}

/** Whether both are blocks of the same gradient, as dz[f] and dz[i]. */
function isBlockBeside(one: string, other: string): boolean {
  return one.includes('[') && one.split('[')[0] === other.split('[')[0];
}

/** Where a quantity is in the order of the computation: layers from the first to the last, then the output, then back again. */
export function orderIn(network: Network, name: string): { readonly phase: Phase; readonly rank: number } {
  return { phase: phaseOf(network, name), rank: rankOf(network, name) };
}

function rankOf(network: Network, name: string): number {
  const { layer, quantity } = partsOf(network, name);
  const count = network.layers.length;
  const at = network.layers.findIndex((one) => one.name === layer);
  if (quantity === 'loss') return 2 * count + 3;
  if (phaseOf(network, name) !== 'backward')
    return at >= 0
      ? 2 * at + (quantity.startsWith('final') ? 1 : 0)
      : 2 * count + ['logits', 'outputs'].indexOf(quantity);
  // the gradient with respect to the inputs is what the first layers send down
  const back = at >= 0 ? count - at : layer === 'head' ? 0 : count + 1;
  const kind =
    name === 'gradients.inputs'
      ? 3
      : quantity.startsWith('gradients.initial')
        ? 1
        : quantity.startsWith('gradients')
          ? 2
          : 0;
  return 2 * count + 10 + 4 * back + kind;
}

function partsOf(network: Network, name: string): { layer?: string; quantity: string } {
  for (const prefix of ['', 'final.', 'gradients.'])
    for (const layer of ['head', ...network.layers.map((one) => one.name)]) {
      if (name.startsWith(`${prefix}${layer}.`))
        return { layer, quantity: prefix + name.slice(prefix.length + layer.length + 1) };
      if (prefix === 'final.' && name === `states.${layer}`) return { layer, quantity: 'output' };
    }
  if (['logits', 'outputs', 'loss'].includes(name)) return { layer: 'head', quantity: name };
  const readers = network.layers.filter((layer) => isRecurrent(layer) && layer.reads === 'inputs');
  if (name === 'gradients.inputs' && readers.length === 1) return { layer: readers[0].name, quantity: name };
  return { quantity: name };
}

export function phaseOf(network: Network, name: string): Phase {
  if (name === 'loss') return 'loss';
  return isGradientName(network, name) ? 'backward' : 'forward';
}

/** The elements of a quantity that do not follow from the numbers before it; undefined where all do. */
function wrongElements(name: string, step: NetworkStep, model: PrecisionModel): WrongSteps | undefined {
  const { value, given, shape, spread } = step;
  const { verdict, allowed } = judgeNumbers({
    implementation: '',
    caseId: '',
    name,
    expected: { reference: { data: value, shape }, axes: shape.map((_, i) => `axis ${i}`) },
    given: { data: given, shape },
    spread,
    model,
    mean: false,
    inWords: () => '',
  });
  if (!['differs', 'nan', 'infinity'].includes(verdict.status)) return undefined;
  const wrong = [...value.keys()].filter((i) => !(Math.abs(given[i] - value[i]) <= allowed[i]));
  return wrong.length === 0 ? undefined : { name, step, allowed, wrong };
}

function describe(
  network: Network,
  first: WrongSteps,
  alike: readonly WrongSteps[],
  model: PrecisionModel,
): LayerPlace {
  const { layer: name, quantity: whole } = partsOf(network, first.name);
  const phase = phaseOf(network, first.name);
  const layer = network.layers.find((one) => one.name === name);
  const isInTime = first.step.shape.length === 3;
  const stepsOf = ({ step: { shape }, wrong }: WrongSteps): number[] =>
    wrong.map((i) => Math.floor(i / shape[2]) % shape[1]);
  const all = isInTime ? [...new Set(alike.flatMap(stepsOf))].sort((a, b) => a - b) : [];
  // a hidden state hands a mistake on: then only the first step of the walk is known to be wrong of itself
  const isHidden = layer !== undefined && hides(layer, phase);
  const walksUp =
    (phase === 'forward') === (layer === undefined || !isRecurrent(layer) || layer.reversed !== true);
  const begin = walksUp ? all[0] : all[all.length - 1];
  const own = isHidden ? all.filter((t) => t === begin) : all;
  const atBegin = alike.filter((one) => !isInTime || stepsOf(one).includes(begin));
  const shown = atBegin.includes(first) ? first : (atBegin[0] ?? first);
  const columns = columnsOf(network, shown.name);
  const gates = new Set(
    atBegin.length > 1
      ? []
      : columns === undefined
        ? [/\[(\S+)\]$/.exec(shown.name)?.[1]]
        : shown.wrong.map((i) => gateAt(columns, i % (shown.step.shape.at(-1) ?? 1)).gate),
  );
  const gate = gates.size === 1 ? [...gates][0] : undefined;
  return {
    ...(name !== undefined && { layer: name }),
    quantity: atBegin.length > 1 ? whole.split('[')[0] : partsOf(network, shown.name).quantity,
    name: shown.name,
    formula: formulaOf(network, shown.name),
    phase,
    ...(gate !== undefined && { gate }),
    ...(isInTime && { timeSteps: own }),
    worst: worstOf(shown, isInTime ? begin : undefined, model, columns),
  };
}

/** The gates of the columns of a weight's gradient, and how many units each has. */
interface Columns {
  readonly gates: readonly string[];
  readonly units: number;
}

function columnsOf(network: Network, name: string): Columns | undefined {
  const { layer: own, quantity } = partsOf(network, name);
  const layer = network.layers.find((one) => one.name === own);
  const [, weight = ''] = /^gradients\.(\w+)$/.exec(quantity) ?? [];
  if (layer === undefined || !isRecurrent(layer) || !Object.hasOwn(layer.cell.weights, weight))
    return undefined;
  const { columns } = layer.cell.weights[weight];
  return columns.includes('F') ? undefined : { gates: columns, units: layer.units };
}

function gateAt(
  { gates, units }: Columns,
  column: number,
): { readonly gate?: string; readonly unit: number } {
  return {
    ...(gates.length > 1 && { gate: gates[Math.floor(column / units)] }),
    unit: column % units,
  };
}

/** Whether a step hands on something that no answer shows: a second carry, or gradients that are sent back. */
function hides(layer: Layer, phase: Phase): boolean {
  if (!isRecurrent(layer)) return false;
  const { carries, backward } = layer.cell;
  if (phase === 'forward' || carries.length > 1) return carries.length > 1;
  return Object.values(backward.toBefore).some((terms) => terms.some(({ of }) => of.op !== 'times'));
}

/** The wrong number of the first wrong step that is farthest off. */
function worstOf(
  { step: { value, given, shape }, allowed, wrong }: WrongSteps,
  begin: number | undefined,
  { precision }: PrecisionModel,
  columns: Columns | undefined,
): WrongNumber {
  const share = (i: number): number => {
    const own = Math.abs(given[i] - value[i]) / allowed[i];
    return Number.isNaN(own) ? Infinity : own;
  };
  const at = wrong
    .filter((i) => begin === undefined || Math.floor(i / shape[2]) % shape[1] === begin)
    .reduce((most, i) => (share(i) > share(most) ? i : most));
  const axes =
    { 3: ['example', 'timeStep', 'unit'], 2: ['row', 'column'], 1: ['column'], 0: [] }[shape.length] ?? [];
  let rest = at;
  const places = axes.map((axis, i) => {
    const below = shape.slice(i + 1).reduce((n, s) => n * s, 1);
    const index = Math.floor(rest / below);
    rest %= below;
    return [axis, index] as const;
  });
  const place = Object.fromEntries(places);
  const { column, ...others } = place as Readonly<Record<string, number>> & { readonly column?: number };
  return {
    at: columns === undefined || column === undefined ? place : { ...others, ...gateAt(columns, column) },
    given: given[at],
    expected: value[at],
    ulps: ulpsBetween(given[at], value[at], precision),
  };
}
