import type { Tensor } from '../../scratch/index';
import { certain, errorArithmetic } from './arithmetics/errors';
import type { Place } from './forward';
import { instrument, type Probe } from './instrument';
import { estimates, floorOf, type Estimate } from './interpret';
import { gradientName } from './derive';
import { columnsOf, sideBySide, type Matrix } from './matrix';
import { cellSizes, isRecurrent, type Network, type NetworkProblem } from './network';
import type { Uncertain } from './operations/index';
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
  const floor = floorOf(network, problem, model);
  const probes = instrument(network, problem)?.probes ?? [];
  const shown = new Map<string, { t: number; expected: Uncertain; given: Matrix }[]>();
  const outcome = runNetwork(network, problem, errorArithmetic({ model, floor }), {
    observe(place, expected) {
      const given = shownAt(network, problem, answer, probes, place);
      if (given === undefined) return expected;
      const name = nameOf(place);
      const all = shown.get(name) ?? [];
      shown.set(name, [...all, { t: place.t ?? 0, expected, given }]);
      return certain(given, expected.rows);
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
      model,
      floor,
    ).values();
    put(
      name,
      estimate,
      numbersOf({ shape, blocks: ordered.map(({ given }) => certain(given, rows)) }, ({ value }) => value),
    );
  }
  for (const [name, estimate] of estimates(outcome, model, floor)) {
    // these were shown and compared above
    if (name === 'logits' || name.startsWith('states.')) continue;
    const given = answer.get(name);
    if (given !== undefined) put(name, estimate, narrowed(network, name, estimate, given));
  }
  return judged;
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
  probes: readonly Probe[],
  { layer, name, t, part }: Place,
): Matrix | undefined {
  if (name === 'logits') {
    const logits = answer.get('logits');
    return logits === undefined || t === undefined ? logits?.data : stepOf(logits, t);
  }
  const found = network.layers.find((one) => one.name === layer);
  if (found === undefined || t === undefined) return undefined;
  if (name === (isRecurrent(found) ? found.cell.carries[0] : 'output')) {
    const states = answer.get(`states.${layer}`);
    return states === undefined ? undefined : stepOf(states, t);
  }
  const inputs = answer.get('gradients.inputs');
  if (!isRecurrent(found) || inputs === undefined || inputs.shape[2] <= problem.inputs.shape[2])
    return undefined;
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

/** Without the rows and columns of the additional inputs. */
function narrowed(network: Network, name: string, { value }: Estimate, { data, shape }: Tensor): Matrix {
  if (data.length === value.length) return data;
  if (name !== 'gradients.inputs') return data.slice(0, value.length);
  return columnsOf(data, shape[0] * shape[1], 0, network.features);
}
