import { memoize, once } from '../base/memoize';
import { isLayered, type AnyProblem, type Phase, type Precision } from '../base/problem';
import { isRecurrent, type Network } from '../equations/index';
import { faultsOf, formatFaults, type EquationFault } from '../faults/equations/index';
import { catalogue, faultsOfStep, truncated, type Fault } from '../faults/index';
import type { LayerPlace } from './place';
import type { Reading, Suspect } from './reading';

/** Where the first wrong number is. */
export interface Where {
  /** only faults that can begin there are named; default: of any place */ readonly place?:
    LayerPlace | undefined;
  /** its phase in reports */ readonly phase?: Phase | undefined;
}

/** Faults that may explain an answer: of every time step, and of one step alone. */
export interface Suspects {
  readonly whole: readonly Suspect[];
  /** computed last: there are as many of each as time steps. `explained` are those of every time step that explain the answer */
  readonly single: (explained: readonly Suspect[]) => readonly Suspect[];
}

/** The fault that no first answer shows: its numbers are right until the side gives the next answer. */
export const overwritten = 'memory/answer-overwritten-by-next-call';

const asSuspect = memoize((fault: Fault): Suspect => ({ ...fault, page: `docs/bptt.md#${fault.family}` }));

/** Faults of the catalogue that only an earlier call shows. */
export const memorySuspects = (): readonly Suspect[] =>
  catalogue.filter(({ calls }) => calls === true).map(asSuspect);

/** The catalogue of the simple RNN, as far as its faults can begin at that place. */
export function catalogueSuspects(
  reading: Reading,
  problem: AnyProblem,
  precision: Precision,
  { place, phase }: Where,
): Suspects {
  if (isLayered(problem)) return { whole: [], single: () => [] };
  const [states, final] = ['states.rnn', 'final.rnn.h'].map((name) => reading.wrongTensors.has(name));
  // wrong states come from the forward pass, and right ones do not
  const mayBe = (fault: Pick<Fault, 'phase' | 'precision' | 'name'>): boolean =>
    (phase === undefined ? (fault.phase === 'forward') === (states || final) : fault.phase === phase) &&
    (fault.precision ?? precision) === precision &&
    fault.name !== overwritten;
  const [, timeSteps] = problem.inputs.shape;
  return {
    whole: catalogue.filter(mayBe).map(asSuspect),
    single: () =>
      stepsNear(place, timeSteps)
        .flatMap((t): readonly Fault[] => [...faultsOfStep(t), ...(t > 0 ? [truncated(timeSteps - t)] : [])])
        .filter(mayBe)
        .map(asSuspect),
  };
}

/** What follows from the equations, as far as it can begin at that place. */
export function equationSuspects(reading: Reading, { place, phase }: Where): Suspects {
  const { network, problem } = reading;
  const whole = [...faultsOf(network), ...formatFaults(network)].filter((fault) =>
    place === undefined
      ? phase === undefined || fault.phase === phase
      : mayBegin(network, reading, fault, place),
  );
  const steps = stepsNear(place, problem.inputs.shape[1]);
  const single = once(() => whole.flatMap(({ atStep }) => (atStep === undefined ? [] : steps.map(atStep))));
  return {
    whole,
    // a mistake outside of the steps may be one that a single step can have: a carry cut at the first step
    single: (explained) => (explained.some(({ atStep }) => atStep !== undefined) ? [] : single()),
  };
}

/** What is sent on shows at the next step of the walk; a masked or saturated step hides it for one step more. */
function stepsNear(place: LayerPlace | undefined, timeSteps: number): readonly number[] {
  if (timeSteps === 1) return [];
  const steps = place?.timeSteps ?? Array.from({ length: timeSteps }, (_, t) => t);
  return [...new Set(steps.flatMap((t) => [t, t + 1, t - 1, t + 2]))].filter((t) => t >= 0 && t < timeSteps);
}

/** Whether the mistake can begin where the first wrong number was seen. */
function mayBegin(network: Network, { given }: Reading, fault: EquationFault, place: LayerPlace): boolean {
  if (fault.phase !== place.phase) return false;
  // the gradient of a weight alone is wrong, or an inner one that all gradients are made of
  const isShare = fault.quantity.startsWith('gradients.') && fault.quantity !== 'gradients.inputs';
  if (isShare && place.phase === 'backward' && !place.quantity.startsWith('gradients.')) return false;
  if (fault.layer === undefined || fault.layer === place.layer) return true;
  const order = [...network.layers.map(({ name }) => name), 'head'];
  const [own, seen] = [fault.layer, place.layer ?? 'head'].map((name) => order.indexOf(name));
  // what two directions send down is one sum
  const readBy = (name: string | undefined): string | undefined =>
    network.layers.filter(isRecurrent).find((layer) => layer.name === name)?.reads;
  const source = readBy(fault.layer);
  if (place.phase === 'backward' && source !== undefined && source === readBy(place.layer)) return true;
  // a layer whose outputs are not in the answer is seen by the next one
  if (place.phase === 'forward') return own < seen && !given.has(`states.${fault.layer}`);
  // what a layer sends down is seen in the layer below
  return own > seen || place.quantity === 'gradients.inputs';
}
