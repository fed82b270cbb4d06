import type { Tensor } from '../../scratch/index';
import { certain, errorArithmetic, roundedOnce } from './arithmetics/errors';
import { exactArithmetic } from './arithmetics/exact';
import type { Place } from './forward';
import { instrument, type Instrumented } from './instrument';
import { chargesOf, estimates, type Estimate } from './interpret';
import { gradientName } from './derive';
import { columnsOf, sideBySide, type Matrix } from './matrix';
import {
  cellSizes,
  forwardOnly,
  isRecurrent,
  outputWidth,
  type Network,
  type NetworkProblem,
} from './network';
import type { Block, Uncertain } from './operations/index';
import { numbersOf, runNetwork } from './outcome';
import { partText } from './parse';
import type { RoundingModel } from './rounding-model';
import { rangesOf } from './weights';

/** A quantity as it follows from what the side showed before, and as the side gave it. */
export interface JudgedStep extends Estimate {
  readonly given: Matrix;
}

/**
 * Every equation by itself, from a side's own earlier values: what the side shows (outputs of every layer, logits, inner gradients by
 * `instrument`) is compared with what its own values before it give, and then takes its place with no error; what it does not show is
 * computed from what was shown last and keeps its error. No error accumulates over time, so this tells right from wrong where a
 * comparison of results cannot, and says at which layer, quantity and step something begins (Oettli & Prager 1964).
 *
 * @param answer of the side to `instrument(network, problem)`, or to the problem itself where that is undefined
 * @returns by name, in the order of the computation: `rnn.h` [B, T, U], `logits`, `rnn.dz[f]`, and results as an answer names them
 */
export function judgeSteps(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  model: RoundingModel,
): ReadonlyMap<string, JudgedStep> {
  const { charges, observe } = chargesOf(problem, model);
  const asked = instrument(network, problem);
  const shown = new Map<string, { t: number; expected: Uncertain; given: Matrix }[]>();
  const outcome = runNetwork(network, problem, errorArithmetic(charges), {
    observe(place, expected) {
      const given = shownAt(network, problem, answer, asked, place);
      if (given === undefined) return observe(place, expected);
      const name = nameOf(place);
      const all = shown.get(name) ?? [];
      shown.set(name, all);
      const exact = observe(place, certain(given, expected.rows));
      const divided = model.forms !== undefined && isGradient(network, place);
      all.push({ t: place.t ?? 0, expected: divided ? roundedOnce(expected, charges) : expected, given });
      return divided ? roundedOnce(exact, charges) : exact;
    },
  });
  const judged = new Map<string, JudgedStep>();
  const put = (name: string, estimate: Estimate, given: Matrix): unknown =>
    judged.set(name, { ...estimate, given });
  for (const [name, steps] of shown) {
    const ordered = steps.toSorted((one, other) => one.t - other.t);
    const { rows, columns } = ordered[0].expected;
    const shape = [rows, ordered.length, columns];
    const [estimate] = estimates(
      new Map([[name, { shape, blocks: ordered.map(({ expected }) => expected) }]]),
      charges,
    ).values();
    put(
      name,
      estimate,
      numbersOf({ shape, blocks: ordered.map(({ given }) => certain(given, rows)) }, ({ value }) => value),
    );
  }
  for (const [name, estimate] of estimates(outcome, charges)) {
    // these were shown and compared above
    if (name === 'logits' || name.startsWith('states.')) continue;
    const given = narrowed(asked, name, estimate.shape, answer.get(name));
    if (given !== undefined) put(name, estimate, given);
  }
  return judged;
}

/**
 * The shape of everything that `judgeSteps` judges of an answer, by its name and in its order: a run in float64 tells, without any
 * error budget.
 *
 * @param answer to `instrument(network, problem)`, or to the problem itself where that is undefined
 */
export function shapesOfSteps(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, readonly number[]> {
  const asked = instrument(network, problem);
  const shapes = new Map<string, readonly number[]>();
  const outcome = runNetwork(network, problem, exactArithmetic(), {
    observe(place, block) {
      if (shownAt(network, problem, answer, asked, place) === undefined) return block;
      const [, steps = 0] = shapes.get(nameOf(place)) ?? [];
      shapes.set(nameOf(place), [block.rows, steps + 1, block.columns]);
      return block;
    },
  });
  for (const [name, { shape }] of outcome) {
    if (name === 'logits' || name.startsWith('states.')) continue;
    if (narrowed(asked, name, shape, answer.get(name)) !== undefined) shapes.set(name, shape);
  }
  return shapes;
}

/**
 * What an output of a layer (`rnn.h`), or the logits, should be by the answer's own values before it, in float64, and what it is in the answer.
 *
 * @returns undefined where the answer does not show it
 */
export function expectedStep(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  name: string,
): { readonly expected: Matrix; readonly given: Matrix; readonly columns: number } | undefined {
  const found: { t: number; expected: Block; given: Block }[] = [];
  runNetwork(network, forwardOnly(problem), exactArithmetic(), {
    observe(place, block) {
      const value = shownAt(network, problem, answer, undefined, place);
      if (value === undefined) return block;
      const given = { value, rows: block.rows, columns: block.columns };
      if (nameOf(place) === name) found.push({ t: place.t ?? 0, expected: block, given });
      return given;
    },
  });
  if (found.length === 0) return undefined;
  const ordered = found.toSorted((one, other) => one.t - other.t);
  const { rows, columns } = ordered[0].expected;
  const shape = [rows, ordered.length, columns];
  const [expected, given] = (['expected', 'given'] as const).map((which) =>
    numbersOf({ shape, blocks: ordered.map((step) => step[which]) }, ({ value }) => value),
  );
  return { expected, given, columns };
}

/** `rnn.h`, `rnn.dz[z r]`, `logits` */
function nameOf({ layer, name, part }: Place): string {
  return name === 'logits' ? name : `${layer}.${name}${partText(part)}`;
}

/** What the side showed of a quantity [B, n], if it did. */
function shownAt(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  asked: Instrumented | undefined,
  { layer, name, t, part }: Place,
): Matrix | undefined {
  const [batch, timeSteps] = problem.inputs.shape;
  if (name === 'logits') {
    const classes = network.head?.classes ?? 0;
    const logits = answer.get('logits');
    if (logits === undefined) return undefined;
    if (t === undefined) return hasShape(logits, [batch, classes]) ? logits.data : undefined;
    return hasShape(logits, [batch, timeSteps, classes]) ? stepOf(logits, t) : undefined;
  }
  const found = network.layers.find((one) => one.name === layer);
  if (found === undefined || t === undefined) return undefined;
  if (name === (isRecurrent(found) ? found.cell.carries[0] : 'output')) {
    const states = answer.get(`states.${layer}`);
    if (states === undefined || !hasShape(states, [batch, timeSteps, outputWidth(network, layer)]))
      return undefined;
    return stepOf(states, t);
  }
  const inputs = answer.get('gradients.inputs');
  if (!isRecurrent(found) || inputs === undefined || asked === undefined) return undefined;
  if (!hasShape(inputs, [batch, timeSteps, asked.network.features])) return undefined;
  const { probes } = asked;
  // the additional inputs show all gates at once, or some of them; the equations give them one by one
  const whole = found.cell.axes.get(name.slice(gradientName('').length)) ?? [];
  const ranges = (part ?? whole).map((block) => {
    const probe = probes.find(
      (one) => one.layer === layer && one.gradient === name && (one.part ?? whole).includes(block),
    );
    if (probe === undefined) return undefined;
    const [[from, to]] = rangesOf(probe.part ?? whole, [block], cellSizes(network, found));
    return columnsOf(stepOf(inputs, t), inputs.shape[0], probe.from + from, probe.from + to);
  });
  const shown = ranges.filter((one) => one !== undefined);
  return shown.length > 0 && shown.length === ranges.length ? sideBySide(shown, inputs.shape[0]) : undefined;
}

/** Step t of [B, T, n] */
function stepOf({ data, shape }: Tensor, t: number): Matrix {
  const [batch, , n] = shape;
  return columnsOf(data, batch, t * n, (t + 1) * n);
}

/** Without the rows and columns of the additional inputs; undefined where it has neither the shape of the plain problem nor of that one. */
function narrowed(
  asked: Instrumented | undefined,
  name: string,
  shape: readonly number[],
  given: Tensor | undefined,
): Matrix | undefined {
  if (given === undefined || hasShape(given, shape)) return given?.data;
  const features = asked?.network.features ?? 0;
  const [rows, second, own] = shape;
  if (name === 'gradients.inputs')
    return hasShape(given, [rows, second, features])
      ? columnsOf(given.data, rows * second, 0, own)
      : undefined;
  return hasShape(given, [features, second]) ? given.data.slice(0, rows * second) : undefined;
}

function hasShape({ shape, data }: Tensor, expected: readonly number[]): boolean {
  return shape.join() === expected.join() && data.length === expected.reduce((n, size) => n * size, 1);
}

/** Whether a quantity of a layer belongs to its derived equations. */
function isGradient({ layers }: Network, { layer, name }: Place): boolean {
  const found = layers.find((one) => one.name === layer);
  return found !== undefined && isRecurrent(found) && !found.cell.axes.has(name);
}
