import { mapTensor } from './answers';
import type { Fault } from './fault';
import { faultIn, finish, next, ofStep, previous, zeroed } from './faulty';
import { zerosLike } from './rows';
import type { HandNetwork } from './hand-network';
import type { Wrong } from './wrong';

const forward = faultIn('masks', 'forward');
const backward = faultIn('masks', 'backward');

/** A masked step has a gradient as any other. */
const asIfLive: Wrong<HandNetwork> = {
  maskedPreActivation: ({ own }, b, t, dh) => own.dPreActivation(b, t, dh),
};

/** Faults of masked steps. */
export const maskFaults: readonly Fault[] = [
  forward('masks/ignored', 'the mask is ignored: padding counts as input', { takesPart: () => true }),
  forward('masks/inverted', 'the mask is inverted: 1 means masked', {
    takesPart: ({ own, right }, b, t) => own.problem.mask === undefined || !right(b, t),
  }),
  forward('masks/of-first-example', 'the mask of the first example is used for all', {
    takesPart: ({ right }, _b, t) => right(0, t),
  }),
  forward('masks/zero-the-state', 'a masked step sets the state to zero instead of keeping it', {
    maskedState: zeroed,
  }),
  backward('masks/forward-only', 'the mask is applied to the states but not to the gradients', {
    ...asIfLive,
    maskedCarry: ({ own }, t, dz, dh) => own.carry(t, dz, dh),
  }),
  backward(
    'masks/masked-step-adds-to-gradients',
    'a masked step passes its gradient on correctly, but still adds to the gradients of weights and inputs',
    asIfLive,
  ),
  backward('masks/carry-lost', 'a masked step passes no gradient on', { maskedCarry: zeroed }),
  ...[
    { name: 'previous', step: 't - 1', other: previous },
    { name: 'next', step: 't + 1', other: next },
  ].map(({ name, step, other }) =>
    forward(`masks/of-${name}-step`, `the mask is shifted: the mask of step ${step} is used at step t`, {
      takesPart: ofStep(other),
    }),
  ),
  forward(
    'masks/taken-as-length',
    'only the number of unmasked steps counts: they are taken from the beginning of the sequence',
    { takesPart: ({ own, right }, b, t) => t < own.inputs[b].filter((_, s) => right(b, s)).length },
  ),
  forward(
    'masks/inputs-zeroed',
    'a masked step is computed with zeros as its input instead of being skipped',
    {
      inputAt: ({ own, right }, b, t) =>
        own.problem.mask?.data[b * own.timeSteps + t] === 0 ? zerosLike(right(b, t)) : right(b, t),
      takesPart: () => true,
    },
  ),
  forward(
    'masks/masked-states-returned-as-zeros',
    'the states of masked steps are returned as zeros; the carried state is correct',
    finish((answer, { problem, bias }) => {
      const isMasked = (i: number): boolean => problem.mask?.data[Math.floor(i / bias.length)] === 0;
      const { states } = answer;
      return states === undefined
        ? answer
        : { ...answer, states: mapTensor(states, (h, i) => (isMasked(i) ? 0 : h)) };
    }),
  ),
];
