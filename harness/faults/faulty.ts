import type { Evaluation, Phase } from '../base/problem';
import type { Family, Fault, NetworkClass } from './fault';
import { HandNetwork } from './hand-network';
import type { Row, Rows } from './rows';
import { withWrong, type Around, type Wrong } from './wrong';

/** The network with these equations wrong, and every other right. */
export function networkWith(wrong: Wrong<HandNetwork>): NetworkClass {
  return withWrong(HandNetwork, wrong);
}

/** Makes the faults of a family and a phase. */
export function faultIn(family: Family, phase: Phase) {
  return (
    name: string,
    words: string,
    wrong: Wrong<HandNetwork>,
    more: Pick<Fault, 'precision' | 'calls'> = {},
  ): Fault => ({ name, words, family, phase, network: networkWith(wrong), ...more });
}

type Value = number | Row | Rows;

function mapNumbers<V extends Value>(value: V, change: (x: number) => number): V {
  const map = (of: Value): Value =>
    typeof of === 'number' ? change(of) : (of as Row).map((x) => map(x) as number);
  return map(value) as V;
}

/** Every number of what the right equation gives, changed. */
export function changed(change: (x: number, own: HandNetwork) => number) {
  return <A extends unknown[], V extends Value>(
    { own, right }: Around<HandNetwork, (...args: A) => V>,
    ...args: A
  ): V => mapNumbers(right(...args), (x) => change(x, own));
}

/** What the right equation gives, times a number. */
export function scaled(factor: number | ((own: HandNetwork) => number)) {
  return changed((x, own) => x * (typeof factor === 'number' ? factor : factor(own)));
}

/** Zeros instead of what the right equation gives. */
export const zeroed = changed(() => 0);

/** The right equation of another time step; `last` is T - 1. */
export function ofStep(other: (t: number, last: number) => number) {
  return <V>({ own, right }: Around<HandNetwork, (b: number, t: number) => V>, b: number, t: number): V =>
    right(b, other(t, own.timeSteps - 1));
}

export const previous = (t: number): number => Math.max(t - 1, 0);
export const next = (t: number, last: number): number => Math.min(t + 1, last);

/** What the right equation gives where that holds, and zeros elsewhere. */
export function where(isRight: (own: HandNetwork, b: number, t: number) => boolean) {
  return <A extends unknown[], V extends Row | Rows>(
    { own, right }: Around<HandNetwork, (b: number, t: number, ...rest: A) => V>,
    b: number,
    t: number,
    ...rest: A
  ): V => {
    const value = right(b, t, ...rest);
    return isRight(own, b, t) ? value : mapNumbers(value, () => 0);
  };
}

/** The answer, changed as it leaves the network. */
export function finish(change: (answer: Evaluation, own: HandNetwork) => Evaluation): Wrong<HandNetwork> {
  return { finish: ({ own }, answer) => change(answer, own) };
}
