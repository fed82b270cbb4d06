import { taken } from '../../base/tensor-moves';
import type { Step } from './step';
import { axesOf, inWords, place, type Axis, type Signal, type Value } from './values';

/** Positions along an axis. */
export function pick(
  step: Step,
  value: Value | undefined,
  axis: number,
  positions: readonly number[],
  isScalar: boolean,
): Value {
  const refuse = () =>
    step.refuse(`takes position ${positions.join(', ')} of axis ${axis} of ${inWords(value)}`);
  if (value?.kind === 'zeros') return value;
  if (value?.kind === 'sizes' || value?.kind === 'constant') {
    const length = value.kind === 'sizes' ? value.items.length : value.shape[place(axis, value.shape.length)];
    const own = positions.map((n) => place(n, length));
    if (!own.every((n) => Number.isInteger(n) && n >= 0 && n < length)) throw refuse();
    if (value.kind === 'sizes') return { kind: 'sizes', items: own.map((n) => value.items[n]) };
    const at = place(axis, value.shape.length);
    const some = taken(value, at, own);
    return isScalar ? { ...some, shape: some.shape.toSpliced(at, 1) } : step.constantWithin(some);
  }
  if (value?.kind === 'pile' && place(axis, axesOf(value).length) === value.at) {
    const parts = positions.map((n) => value.parts[place(n, value.parts.length)] as Signal | undefined);
    if (!parts.every((part) => part !== undefined) || parts.length === 0) throw refuse();
    return isScalar ? parts[0] : { ...value, parts };
  }
  if (value?.kind === 'signal' && isScalar) return lastStep(step, value, axis, positions[0]);
  // one step of every direction
  if (value?.kind === 'pile' && isScalar) {
    const at = place(axis, axesOf(value).length);
    const inPart = at > value.at ? at - 1 : at;
    const parts = value.parts.map((part) => lastStep(step, part, inPart, positions[0]));
    return { kind: 'pile', parts, at: at < value.at ? value.at - 1 : value.at };
  }
  throw refuse();
}

/** The last step of a signal: the final state of an operation in one direction, a layer by itself else. */
function lastStep(step: Step, signal: Signal, axis: number, position: number): Signal {
  const at = place(axis, signal.axes.length);
  const time = signal.axes[at] as Axis | undefined;
  const isLast =
    signal.flipped === true
      ? position === 0
      : position === -1 || (time?.size !== null && position === (time?.size ?? 0) - 1);
  if (signal.axes.length !== 3 || time === undefined || (time.role ?? 'time') !== 'time' || !isLast)
    throw step.refuse(`takes step ${position} of ${inWords(signal)}, where the last one was expected`);
  time.role = 'time';
  const axes = signal.axes.toSpliced(at, 1);
  axes[0].role ??= 'batch';
  const { from } = signal;
  if ('direction' in from && from.what === 'all' && from.recurrent.weights.length === 1)
    return { kind: 'signal', from: { ...from, what: 'h' }, axes };
  return step.layer(signal, { layer: 'lastStep' }, {}, axes);
}

/** A slice: the order of steps turned round, a part of a pile, the last step with its axis. */
export function cut(
  step: Step,
  value: Value,
  axis: number,
  start: number,
  end: number,
  stride: number,
): Value {
  if (value.kind === 'zeros') return value;
  const positions = (length: number): number[] => {
    const clamp = (n: number, low: number, high: number) =>
      Math.min(Math.max(n < 0 ? n + length : n, low), high);
    const out: number[] = [];
    if (stride > 0) for (let i = clamp(start, 0, length); i < clamp(end, 0, length); i += stride) out.push(i);
    else if (stride < 0)
      for (
        let i = clamp(start, -1, length - 1);
        i > (end < -length ? -1 : clamp(end, -1, length - 1));
        i += stride
      )
        out.push(i);
    return out;
  };
  if (value.kind === 'sizes') return pick(step, value, 0, positions(value.items.length), false);
  if (value.kind === 'constant') {
    const at = place(axis, value.shape.length);
    if (at < 0 || at >= value.shape.length) throw step.refuse(`cuts axis ${axis} of ${inWords(value)}`);
    return taken(value, at, positions(value.shape[at]));
  }
  const axes = axesOf(value);
  const at = place(axis, axes.length);
  if (value.kind === 'pile' && at === value.at)
    return pick(step, value, axis, positions(value.parts.length), false);
  const isWhole = stride === 1 && start === 0 && end >= (axes[at]?.size ?? 2 ** 31 - 1);
  if (isWhole) return value;
  const isTurned = stride === -1 && (start === -1 || start >= 2 ** 31 - 1) && end <= -(2 ** 31);
  const own = axes[at];
  if (isTurned && own !== undefined && (own.role ?? 'time') === 'time') {
    own.role = 'time';
    const turn = (one: Signal): Signal => ({ ...one, flipped: one.flipped !== true });
    return value.kind === 'signal' ? turn(value) : { ...value, parts: value.parts.map(turn) };
  }
  const isOne = stride === 1 && start === -1 && end >= 2 ** 31 - 1;
  if (isOne && value.kind === 'signal') return { kind: 'pile', parts: [lastStep(step, value, at, -1)], at };
  throw step.refuse(`takes ${start} to ${end} by ${stride} of axis ${axis} of ${inWords(value)}`);
}
