import type { Fault } from './fault';
import {
  faultIn,
  formula,
  general,
  gradients,
  ofStates,
  previous,
  together,
  walkBack,
  type Given,
  type Way,
} from './faulty';

const carry = faultIn('carry', 'backward');
const notebook = faultIn('notebook', 'backward');
const upstream = faultIn('upstream', 'backward');

/** Faults of what one step sends back to the step before it. */
export const carryFaults: readonly Fault[] = [
  notebook(
    'carry/both-of-the-notebook',
    'both mistakes of the notebook: dh_{t+1} is carried in addition to its carry, and the initial state gets a gradient of zeros',
    together(
      formula({ toBefore: 'dz_t · recurrentKernelᵀ + dh_t' }, (t) => t > 0),
      gradients(['initialState'], () => 0),
    ),
  ),
  carry(
    'carry/forwards',
    'the steps are visited from the first to the last, so that gradients run the wrong way through time',
    walkBack((steps) => steps.toReversed()),
  ),
  carry(
    'carry/overwrites-what-arrives',
    'the gradient carried from a later step overwrites the gradient given for the state instead of being added to it',
    ofStates((t, last) => (t < last ? undefined : t)),
  ),
  truncated(4),
];

/** Backpropagation that stops after k steps; all k are one kind of mistake. */
export function truncated(k: number): Fault {
  return faultIn('truncated', 'backward')(
    `carry/truncated-to-${k}-steps`,
    `backpropagation is cut: nothing is carried past the last ${k} steps`,
    general('back to h_(t-1): nothing is sent back to h_(t-1)', (t, last) => t === last + 1 - k),
  );
}

/** Faults of what reaches the states from outside the layer. */
export const upstreamFaults: readonly Fault[] = [
  upstream(
    'upstream/states-dropped',
    'the gradient given for the states is dropped: only the final state counts',
    ofStates(() => undefined),
  ),
  upstream(
    'upstream/states-one-step-late',
    'the gradient given for h_{t-1} is added to that of h_t',
    ofStates((t) => previous(t)),
  ),
  upstream(
    'upstream/final-state-overwrites-states',
    'at the last step the gradient of the final state replaces that of the states instead of being added to it',
    ofStates((t, last) => (t < last ? t : undefined)),
  ),
  upstream(
    'upstream/loss-at-every-step',
    'the gradient of the loss is added at every step, as if the loss looked at every state',
    lossAtEveryStep,
  ),
];

/** dh_T = dy outputKernel^T is added to dh_t at every t < T */
function lossAtEveryStep({ layer, batch, timeSteps, problem }: Given): ReturnType<Way> {
  if (problem.labels === undefined) return undefined;
  return {
    back: (forward) => {
      const { loss, arithmetic } = forward;
      if (loss === undefined) return forward;
      const term = { left: loss.dLogits, weight: forward.weight('head', 'kernel'), transposed: true };
      const { value } = arithmetic.sum([{ sign: 1, ...term }], false);
      const own = problem.upstream?.[layer.name];
      const { units } = layer;
      const data = new Float64Array(batch * timeSteps * units).map((_, i) => {
        const [row, t] = [Math.floor(i / units / timeSteps), Math.floor(i / units) % timeSteps];
        const given = own?.sequence?.data[i] ?? 0;
        return t < timeSteps - 1 ? given + value[row * units + (i % units)] : given;
      });
      const sequence = { data, shape: [batch, timeSteps, units] };
      return { ...forward, problem: { ...problem, upstream: { [layer.name]: { ...own, sequence } } } };
    },
  };
}
