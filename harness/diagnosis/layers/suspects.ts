import { isRecurrent, type Network, type NetworkProblem } from '../../equations/index';
import {
  distance,
  exactFault,
  faultsOf,
  formatFaults,
  sameRun,
  type EquationFault,
} from '../../faults/equations/index';
import type { Kind } from '../diagnosis';
import { inOneSentence } from '../kind/kind';
import type { LayerPlace } from './place';
import type { LayersReading } from './reading';

/** More names than these say nothing. */
const mostNames = 4;

/** A fault class, and what is known of its place. */
export interface LayersKind extends Kind {
  readonly layer?: string;
  readonly gate?: string;
}

/**
 * The faults that give an answer, within their own budgets; first those of every time step, then those of one step alone. Undefined
 * where none does, or where too many do.
 *
 * @param others answers of the same side to other problems about the same layers: a fault must agree with them as well
 */
export function kindOfLayers(
  reading: LayersReading,
  place: LayerPlace | undefined,
  others: readonly LayersReading[] = [],
): LayersKind | undefined {
  const { network, problem } = reading;
  const suspects = [...faultsOf(network), ...formatFaults(network)].filter((fault) =>
    mayBegin(network, reading, fault, place),
  );
  const found = (among: readonly EquationFault[], forwardOnly = false): readonly EquationFault[] =>
    among.filter((fault) => isIt(reading, fault, forwardOnly));
  const confirmed = (faults: readonly EquationFault[]): LayersKind | undefined =>
    kindFrom(
      network,
      problem,
      faults.filter((fault) => others.every((other) => agrees(other, fault))),
    );
  const whole = found(suspects);
  // a mistake outside of the steps may be one that a single step can have: a carry cut at the first step
  if (whole.some(({ atStep }) => atStep !== undefined)) return confirmed(whole);
  const timeSteps = problem.inputs.shape[1];
  const seen = place?.timeSteps;
  const steps = seen ?? Array.from({ length: timeSteps }, (_, t) => t);
  // what is sent on shows at the next step of the walk
  const wanted = [...new Set(steps.flatMap((t) => [t, t + 1, t - 1]))].filter((t) => t >= 0 && t < timeSteps);
  if (timeSteps === 1) return confirmed(whole);
  const stepsOf = (faults: readonly EquationFault[]): readonly EquationFault[] =>
    faults.flatMap(({ atStep }) => (atStep === undefined ? [] : wanted.map(atStep)));
  const single = found(stepsOf(suspects));
  if (single.length + whole.length > 0) return confirmed([...whole, ...single]);
  // after a wrong forward pass a program may have gradients of its own
  const forward = suspects.filter(({ phase }) => phase === 'forward');
  const wholeForward = found(forward, true);
  return confirmed(wholeForward.length > 0 ? wholeForward : found(stepsOf(forward), true));
}

function isIt(reading: LayersReading, fault: EquationFault, forwardOnly: boolean): boolean {
  return fault.runs(reading.network, reading.problem).some((run) => reading.isExplainedBy(run, forwardOnly));
}

/**
 * Whether the answer to another problem does not speak against the fault. Its gradients do not count after a wrong forward pass: where
 * they arrive depends on the program.
 */
function agrees(reading: LayersReading, fault: EquationFault): boolean {
  const runs = fault.runs(reading.network, reading.problem);
  if (runs.length === 0) return reading.isRight;
  return runs.some((run) => reading.agreesWith(run, fault.phase === 'forward'));
}

/** Whether the mistake can begin where the first wrong number was seen. */
function mayBegin(
  network: Network,
  { given }: LayersReading,
  fault: EquationFault,
  place: LayerPlace | undefined,
): boolean {
  if (place === undefined) return true;
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

/** Several faults that nothing tells apart become one sentence. */
function kindFrom(
  network: Network,
  problem: NetworkProblem,
  faults: readonly EquationFault[],
): LayersKind | undefined {
  if (faults.length === 0) return undefined;
  const names = [...new Set(faults.map(({ name }) => name))];
  if (names.length > mostNames && !areEqual(network, problem, faults)) return undefined;
  const one = <T>(pick: (fault: EquationFault) => T): T | undefined => {
    const all = new Set(faults.map(pick));
    return all.size === 1 ? [...all][0] : undefined;
  };
  const [timeStep, layer, gate] = [one((f) => f.timeStep), one((f) => f.layer), one((f) => f.gate)];
  return {
    names,
    words: inOneSentence(faults),
    page: faults[0].page,
    ...(timeStep !== undefined && { timeStep }),
    ...(layer !== undefined && { layer }),
    ...(gate !== undefined && { gate }),
  };
}

/** Whether the faults give the same numbers on this problem, so that no answer to it can tell them apart. */
function areEqual(network: Network, problem: NetworkProblem, faults: readonly EquationFault[]): boolean {
  const answers = faults.map((fault) => fault.runs(network, problem).map((run) => exactFault(run).whole()));
  const [first] = answers;
  return answers.every((own) => own.some((one) => first.some((other) => distance(other, one) <= sameRun)));
}
