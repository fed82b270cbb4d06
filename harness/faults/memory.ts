import type { Tensor } from '../../scratch/index';
import { tensorOf, type Evaluation } from '../base/problem';
import type { NetworkProblem } from '../equations/index';
import type { Fault } from './fault';
import {
  asked,
  faultIn,
  gradients,
  outcomeName,
  weightNames,
  type Given,
  type GradientName,
  type Way,
} from './faulty';

const forward = faultIn('memory', 'forward');
const backward = faultIn('memory', 'backward');
const calls = { calls: true } as const;

/** The gradients of the call before are still in these. */
const accumulating = (names: readonly GradientName[]): Way =>
  gradients(names, (x, i, { shape }, name, given) => {
    const old = given.earlier?.get(outcomeName(name, given));
    return old?.shape.join() === shape.join() ? x + old.data[i] : x;
  });

function withInitial(problem: NetworkProblem, { layer }: Given, h: Tensor): NetworkProblem {
  return { ...problem, initialStates: { ...problem.initialStates, [layer.name]: { h } } };
}

/** Every call writes its gradients of the layer into the arrays of the call before. */
function intoSameArrays(answer: Evaluation, before: Evaluation | undefined): Evaluation {
  const shared = Object.entries(answer.gradients ?? {}).map(([name, gradient]): [string, Tensor] => {
    const old = name.startsWith('output') || !before ? undefined : tensorOf(before, `gradients.${name}`);
    if (old?.shape.join() !== gradient.shape.join()) return [name, gradient];
    old.data.set(gradient.data);
    return [name, old];
  });
  return answer.gradients === undefined ? answer : { ...answer, gradients: Object.fromEntries(shared) };
}

/** Faults of memory: what is kept and should not be, or shared and should not be. */
export const memoryFaults: readonly Fault[] = [
  forward(
    'memory/state-leaks-across-calls',
    'the state outlives the call: the next call starts from the final state of this one',
    asked((problem, given) => {
      const { layer, batch, earlier } = given;
      const kept = earlier?.get(`final.${layer.name}.h`);
      return kept?.shape.join() === [batch, layer.units].join() ? withInitial(problem, given, kept) : problem;
    }),
    calls,
  ),
  backward(
    'memory/gradients-accumulate-across-calls',
    'gradients are added to those of the previous call, because they are never reset to zero',
    accumulating(weightNames),
    calls,
  ),
  backward(
    'memory/input-gradients-accumulate-across-calls',
    'the gradients of inputs and initial state are added to those of the previous call',
    accumulating(['inputs', 'initialState']),
    calls,
  ),
  backward(
    'memory/answer-overwritten-by-next-call',
    'every call writes its gradients into the same arrays, so that the answer of the previous call changes',
    () => ({}),
    { ...calls, handedOver: intoSameArrays },
  ),
  forward(
    'memory/one-array-for-all-states',
    'every step stores the same array, so that all saved states equal the last one',
    ({ layer }) => ({
      ran: (_, { sequence, steps, final }) => {
        const [carry] = layer.cell.carries;
        const { argument, ...last } = final[carry];
        return {
          final,
          sequence: sequence.map(() => final[carry]),
          steps: steps.map((step, i) => ({
            ...step,
            before: i === 0 ? step.before : { [carry]: final[carry] },
            quantities: step.quantities.and(carry, ['U'], last as unknown as (typeof final)[string]),
          })),
        };
      },
    }),
  ),
];
