import type { Phase } from '../base/problem';
import { ulpsBetween } from '../base/ulps';
import { isRecurrent, layerAndQuantity, phaseOf, rankOf, type Layer, type Network } from '../equations/index';
import { isFailing, placeAt, type JudgedEquation, type Side } from '../judge/index';
import type { WrongNumber } from './diagnosis';

/** Where the first wrong number of an answer is, in the order of the computation. */
export interface LayerPlace {
  /** a layer's name, or `head` */ readonly layer?: string;
  /** the quantity without its layer: `h`, `dz[f]`, `gradients.kernel`, `logits` */ readonly quantity: string;
  /** its whole name, as `evaluateNetwork` has it */ readonly name: string;
  /** its name in reports */ readonly tensor: string;
  readonly formula: string;
  readonly phase: Phase;
  /** where only one gate is wrong of itself */ readonly gate?: string;
  /** the steps whose own equation is wrong, counted from 0; absent where there are none, or they cannot be seen */
  readonly timeSteps?: readonly number[];
  readonly worst: WrongNumber;
}

/**
 * The first quantity, in the order of the computation, that does not follow from the answer's own numbers before it: forward from the
 * first layer to the last, then backward from the last layer to the first.
 *
 * @param judged every equation that the answer shows
 * @returns undefined where every equation holds
 */
export function placeOf(
  network: Network,
  judged: readonly JudgedEquation[],
  side: Side,
): LayerPlace | undefined {
  const wrong = judged
    .filter(({ verdict }) => isFailing(verdict))
    .sort((one, other) => rankOf(network, one.equation.own) - rankOf(network, other.equation.own));
  if (wrong.length === 0) return undefined;
  const [first] = wrong;
  // blocks of the same gradient, as dz[f] and dz[i], are one quantity
  const [block, ...more] = first.equation.own.split('[');
  const alike =
    more.length === 0 ? [first] : wrong.filter(({ equation }) => equation.own.startsWith(`${block}[`));
  return describe(network, alike, side);
}

function describe(network: Network, alike: readonly JudgedEquation[], side: Side): LayerPlace {
  const [first] = alike;
  const { layer: name, quantity: whole } = layerAndQuantity(network, first.equation.own);
  const phase = phaseOf(network, first.equation.own);
  const layer = network.layers.find((one) => one.name === name);
  const { shape } = first.equation.expected;
  const isInTime = shape.length === 3;
  const stepOf = (i: number): number => Math.floor(i / shape[2]) % shape[1];
  // a hidden state hands a mistake on: then only the first step of the walk is known to be wrong of itself
  const isHidden = layer !== undefined && hides(layer, phase);
  const wrongOf = isHidden ? wrongElements : clearlyWrongElements;
  const stepsOf = (one: JudgedEquation): number[] => wrongOf(one).map(stepOf);
  const all = isInTime ? [...new Set(alike.flatMap(stepsOf))].sort((a, b) => a - b) : [];
  const walksUp =
    (phase === 'forward') === (layer === undefined || !isRecurrent(layer) || layer.reversed !== true);
  const begin = walksUp ? all[0] : all[all.length - 1];
  const atBegin = alike.filter((one) => !isInTime || stepsOf(one).includes(begin));
  const shown = atBegin.includes(first) ? first : (atBegin[0] ?? first);
  const { own, formula, expected, given, axes } = shown.equation;
  const elements = wrongOf(shown).filter((i) => !isInTime || stepOf(i) === begin);
  const at = elements.reduce((most, i) => (shareOf(shown, i) > shareOf(shown, most) ? i : most));
  const gates = new Set(
    atBegin.length > 1
      ? []
      : wrongOf(shown).map((i) => placeAt(axes, expected.shape, i)['gate'] ?? /\[(\S+)\]$/.exec(own)?.[1]),
  );
  const gate = gates.size === 1 ? [...gates][0] : undefined;
  return {
    ...(name !== undefined && { layer: name }),
    quantity: atBegin.length > 1 ? whole.split('[')[0] : layerAndQuantity(network, own).quantity,
    name: own,
    tensor: shown.equation.name,
    formula,
    phase,
    ...(gate !== undefined && { gate: String(gate) }),
    ...(isInTime && { timeSteps: isHidden ? [begin] : all }),
    worst: {
      at: placeAt(axes, expected.shape, at),
      given: given.data[at],
      expected: expected.data[at],
      ulps: ulpsBetween(given.data[at], expected.data[at], side.precision),
    },
  };
}

/** A right equation of a faulty run may be so many budgets off: the budget was derived for the numbers of an honest run. */
const echo = 16;

/** Every element of an equation that is beyond its budget; where some are beyond `echo` budgets, these alone. */
function clearlyWrongElements(judged: JudgedEquation): number[] {
  const clearly = wrongElements(judged, echo);
  return clearly.length > 0 ? clearly : wrongElements(judged);
}

/** Every element of an equation that is beyond so many times what it may be off. */
function wrongElements({ equation, allowed }: JudgedEquation, slack = 1): number[] {
  const { expected, given } = equation;
  return [...expected.data.keys()].filter((i) => {
    const x = expected.data[i];
    return given.data[i] !== x && !(Math.abs(given.data[i] - x) <= slack * allowed[i]);
  });
}

function shareOf({ equation: { expected, given }, allowed }: JudgedEquation, i: number): number {
  const share = Math.abs(given.data[i] - expected.data[i]) / allowed[i];
  return Number.isNaN(share) ? Infinity : share;
}

/** Whether a step hands on something that no answer shows: a second carry, or gradients that are sent back. */
function hides(layer: Layer, phase: Phase): boolean {
  if (!isRecurrent(layer)) return false;
  const { carries, backward } = layer.cell;
  if (phase === 'forward' || carries.length > 1) return carries.length > 1;
  return Object.values(backward.toBefore).some((terms) => terms.some(({ of }) => of.op !== 'times'));
}
