import type { Fault } from './fault';
import {
  faultIn,
  inputsForward,
  next,
  previous,
  ofStates,
  together,
  walkBack,
  withValue,
  type Way,
} from './faulty';

const backward = faultIn('wrong-time-step', 'backward');
const forward = faultIn('wrong-time-step', 'forward');

/** Another final state than h_T: from the states of all steps, each [B, U], number by number. */
function finalState(change: (states: readonly number[], initial: number) => number): Way {
  return ({ problem, layer }) => ({
    ran: (_, ran) => {
      const { sequence, final } = ran;
      const [carry] = layer.cell.carries;
      const initial = problem.initialStates?.[layer.name]?.[carry]?.data;
      const last = withValue(final[carry], (_own, i) =>
        change(
          sequence.map(({ value }) => value[i]),
          initial?.[i] ?? 0,
        ),
      );
      return { ...ran, final: { ...final, [carry]: last } };
    },
  });
}

/** Faults of time: the wrong step is read, or one is left out. */
export const stepFaults: readonly Fault[] = [
  backward(
    'steps/last-step-skipped',
    'the backward loop begins at the second last step, with the gradient that arrived at the last',
    together(
      ofStates((t, last) => (t === last - 1 ? last : t)),
      walkBack((steps) => (steps.length > 1 ? steps.slice(0, -1) : steps)),
    ),
  ),
  forward(
    'steps/forward-next-input',
    'the forward pass reads x_{t+1} instead of x_t (the last step reads its own)',
    inputsForward(next),
  ),
  forward(
    'steps/forward-previous-input',
    'the forward pass reads x_{t-1} instead of x_t (the first step reads its own)',
    inputsForward(previous),
  ),
  forward(
    'steps/final-state-is-last-but-one',
    'the loop runs one step too few: the final state is h_{T-1}',
    finalState((states, initial) => states.at(-2) ?? initial),
  ),
  forward(
    'steps/sequence-reversed',
    'the forward pass reads the sequence from its end to its beginning',
    inputsForward((t, last) => last - t),
  ),
  forward(
    'steps/next-input-and-zeros',
    'the forward pass reads x_{t+1} instead of x_t, and zeros at the last step',
    inputsForward((t, last) => (t < last ? t + 1 : undefined)),
  ),
  forward(
    'steps/zeros-and-previous-input',
    'the forward pass reads x_{t-1} instead of x_t, and zeros at the first step',
    inputsForward((t) => (t > 0 ? t - 1 : undefined)),
  ),
  forward(
    'steps/first-input-skipped',
    'the forward pass does not see the first input: zeros are read instead',
    inputsForward((t) => (t > 0 ? t : undefined)),
  ),
  forward(
    'steps/final-state-averaged',
    'the final state is the mean of all states, not the last one',
    finalState((states) => states.reduce((sum, h) => sum + h, 0) / states.length),
  ),
];
