import type { Fault } from './fault';
import { answer, faultIn, formula, quantity, together, walkBack, type Given } from './faulty';

const forward = faultIn('masks', 'forward');
const backward = faultIn('masks', 'backward');

/** The walk back goes over masked steps as over any other. */
const asIfLive = walkBack((steps) => steps.map(({ live, ...step }) => step));

/** m_t, which is 0 where a step is masked */
const m = { m: (given: Given, b: number, t: number) => Number(!isMasked(given, b, t)) };

function isMasked({ problem: { mask }, timeSteps }: Given, b: number, t: number): boolean {
  return mask?.data[b * timeSteps + t] === 0;
}

/** Faults of masked steps. */
export const maskFaults: readonly Fault[] = [
  forward(
    'masks/zero-the-state',
    'a masked step sets the state to zero instead of keeping it',
    quantity('h', (h, i, given, t) => (isMasked(given, Math.floor(i / given.layer.units), t) ? 0 : h)),
  ),
  backward('masks/forward-only', 'the mask is applied to the states but not to the gradients', asIfLive),
  backward(
    'masks/masked-step-adds-to-gradients',
    'a masked step passes its gradient on correctly, but still adds to the gradients of weights and inputs',
    together(
      asIfLive,
      formula({ toBefore: 'm_t ∘ (dz_t · recurrentKernelᵀ) + (1 - m_t) ∘ dh_t' }, undefined, m),
    ),
  ),
  backward(
    'masks/carry-lost',
    'a masked step passes no gradient on',
    together(asIfLive, formula({ dz: 'm_t ∘ dh_t ∘ (1 - h_t ∘ h_t)' }, undefined, m)),
  ),
  forward(
    'masks/masked-states-returned-as-zeros',
    'the states of masked steps are returned as zeros; the carried state is correct',
    answer((tensor, { layer, problem: { mask } }) => {
      const name = `states.${layer.name}`;
      const states = tensor(name)?.data ?? new Float64Array();
      return {
        [name]: states.map((h, i) => (mask?.data[Math.floor(i / layer.units)] === 0 ? 0 : h)),
      };
    }),
  ),
];
