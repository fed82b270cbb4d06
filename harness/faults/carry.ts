import type { Fault } from './fault';
import { changed, faultIn, next, ofStep, previous, scaled, where, zeroed } from './faulty';
import type { HandNetwork } from './hand-network';
import { add, times, zerosLike, type Row } from './rows';
import type { Around } from './wrong';

const carry = faultIn('carry', 'backward');
const notebook = faultIn('notebook', 'backward');
const upstream = faultIn('upstream', 'backward');
const slope = faultIn('tanh-derivative', 'backward');

/** dh_{t+1} is carried on in addition to its carry */
const accumulated = (_: unknown, later: Row, fromAbove: Row, carried: Row): number[] =>
  add(add(fromAbove, carried), later);

/** Faults of what one step sends back to the step before it. */
export const carryFaults: readonly Fault[] = [
  notebook(
    'carry/accumulated',
    "the notebook's first mistake: dh_next + dh_t, so that dh_{t+1} itself is carried in addition to its carry",
    { dState: accumulated },
  ),
  notebook(
    'carry/both-of-the-notebook',
    'both mistakes of the notebook: dh_{t+1} is carried in addition to its carry, and the initial state gets a gradient of zeros',
    { dState: accumulated, initialStateGradient: zeroed },
  ),
  carry('carry/dropped', 'no gradient is carried to the previous step: gradients stop after one step', {
    carry: zeroed,
  }),
  carry('carry/negated', 'the gradient carried to the previous step has the wrong sign', {
    carry: scaled(-1),
  }),
  carry('carry/counted-twice', 'the gradient carried to the previous step is added twice', {
    carry: scaled(2),
  }),
  carry('carry/without-slope', 'dh_t is carried back instead of dz_t, past the tanh', {
    carry: ({ right }, t, _dz, dh) => right(t, dh, dh),
  }),
  carry(
    'carry/forwards',
    'the steps are visited from the first to the last, so that gradients run the wrong way through time',
    { backwardSteps: ({ right }) => right().reverse() },
  ),
  carry(
    'carry/overwrites-what-arrives',
    'the gradient carried from a later step overwrites the gradient given for the state instead of being added to it',
    { dState: (_, _later, fromAbove, carried) => [...(carried.some((x) => x !== 0) ? carried : fromAbove)] },
  ),
  faultIn('transpose', 'backward')(
    'carry/not-transposed',
    'dz_t recurrentKernel is carried back instead of dz_t recurrentKernel^T',
    { carry: ({ own }, _t, dz) => times(dz, own.recurrentKernel) },
  ),
  carry(
    'carry/never-added',
    'the gradient carried to the previous step is computed but never added (min-char-rnn without `+ dhnext`)',
    { dState: (_, _later, fromAbove) => [...fromAbove] },
  ),
  truncated(4),
];

/** Backpropagation that stops after k steps; all k are one kind of mistake. */
export function truncated(k: number): Fault {
  return faultIn('truncated', 'backward')(
    `carry/truncated-to-${k}-steps`,
    `backpropagation is cut: nothing is carried past the last ${k} steps`,
    { carry: ({ own, right }, t, dz, dh) => (t === own.timeSteps - k ? zerosLike(dz) : right(t, dz, dh)) },
  );
}

/** Faults of what reaches the states from outside the layer. */
export const upstreamFaults: readonly Fault[] = [
  upstream(
    'upstream/states-dropped',
    'the gradient given for the states is dropped: only the final state counts',
    { upstreamState: zeroed },
  ),
  upstream('upstream/states-counted-twice', 'the gradient given for the states is added twice', {
    upstreamState: scaled(2),
  }),
  upstream('upstream/states-one-step-late', 'the gradient given for h_{t-1} is added to that of h_t', {
    upstreamState: ofStep(previous),
  }),
  upstream('upstream/final-state-dropped', 'the gradient given for the final state is dropped', {
    upstreamFinalState: zeroed,
  }),
  upstream('upstream/final-state-counted-twice', 'the gradient given for the final state is added twice', {
    upstreamFinalState: scaled(2),
  }),
  upstream(
    'upstream/final-state-overwrites-states',
    'at the last step the gradient of the final state replaces that of the states instead of being added to it',
    { upstreamState: where((own, _b, t) => t < own.timeSteps - 1) },
  ),
  upstream(
    'upstream/loss-at-every-step',
    'the gradient of the loss is added at every step, as if the loss looked at every state',
    {
      fromAbove: ({ own, right }, b, t, dFinalState) =>
        dFinalState === undefined || t === own.timeSteps - 1
          ? right(b, t, dFinalState)
          : add(right(b, t, dFinalState), dFinalState),
    },
  ),
];

/** A derivative of tanh computed from h_t. */
const ofState =
  (derivative: (h: number) => number) =>
  ({ own }: Around<HandNetwork, unknown>, b: number, t: number): number[] =>
    own.states[b][t].map(derivative);

/** Faults of the derivative of tanh. */
export const slopeFaults: readonly Fault[] = [
  slope('slope/missing', 'tanh is not differentiated at all', { slope: changed(() => 1) }),
  slope('slope/one-minus-h', 'the derivative of tanh is taken as 1 - h instead of 1 - h^2', {
    slope: ofState((h) => 1 - h),
  }),
  slope('slope/one-plus-h-squared', 'the derivative of tanh is taken as 1 + h^2 instead of 1 - h^2', {
    slope: ofState((h) => 1 + h * h),
  }),
  slope('slope/of-the-sigmoid', "the sigmoid's derivative h (1 - h) is used instead of tanh's", {
    slope: ofState((h) => h * (1 - h)),
  }),
  slope('slope/of-pre-activation', '1 - z^2: the derivative is taken from z_t as if it were h_t', {
    slope: ({ own }, b, t) => own.preActivations[b][t].map((z) => 1 - z * z),
  }),
  slope('slope/tanh-twice', '1 - tanh(h_t)^2: tanh is applied again to a state', {
    slope: ofState((h) => 1 - Math.tanh(h) ** 2),
  }),
  slope('slope/step-before', 'the derivative of tanh is taken at h_{t-1} instead of h_t', {
    slope: ({ own }, b, t) => own.stateBefore(b, t).map((h) => 1 - h * h),
  }),
  slope(
    'slope/step-after',
    'the derivative of tanh is taken at h_{t+1} instead of h_t (the last step keeps its own)',
    { slope: ofStep(next) },
  ),
];
