import { HandNetwork } from './hand-network';
import type { Fault, NetworkClass } from './fault';

/** A fault of one time step only. */
export interface StepFault extends Fault {
  /** the step, counted from 0 */ readonly timeStep: number;
  /** the first wrong quantity, as a diagnosis names it; and the step of its equation, where it has one */
  readonly wrong: { readonly tensor: string; readonly timeStep?: number };
}

/** Where the equations of a network take the time step, and the quantity that they make. */
const equations: Readonly<Record<string, { readonly argument: number; readonly makes: string }>> = {
  inputAt: { argument: 1, makes: 'states' },
  preActivation: { argument: 2, makes: 'states' },
  activation: { argument: 1, makes: 'states' },
  upstreamState: { argument: 1, makes: 'dPreActivations' },
  slope: { argument: 1, makes: 'dPreActivations' },
  carry: { argument: 0, makes: 'carry' },
  inputGradient: { argument: 1, makes: 'gradients.inputs' },
  kernelShare: { argument: 1, makes: 'gradients.kernel' },
  inputForKernel: { argument: 1, makes: 'gradients.kernel' },
  recurrentKernelShare: { argument: 1, makes: 'gradients.recurrentKernel' },
  stateForRecurrentKernel: { argument: 1, makes: 'gradients.recurrentKernel' },
  biasShare: { argument: 1, makes: 'gradients.bias' },
};

type Equation = (...args: never[]) => unknown;

/** The faults of the catalogue that are planted at one step as well, and what they are called there. */
const ofOneStep: Readonly<Record<string, string>> = {
  'weights/bias-forgotten': 'the bias is not added',
  'weights/states-too-large': 'every state is 1 % too large',
  'steps/forward-next-input': 'the forward pass reads the input of the next step',
  'steps/state-before-ignored': 'the previous state is ignored',
  'carry/dropped': 'no gradient is carried to the previous step',
  'carry/negated': 'the gradient carried to the previous step has the wrong sign',
  'carry/not-transposed': 'dz_t recurrentKernel is carried back instead of dz_t recurrentKernel^T',
  'slope/missing': 'tanh is not differentiated',
  'slope/step-before': 'the derivative of tanh is taken at h_{t-1} instead of h_t',
  'upstream/states-dropped': 'the gradient given for the state is dropped',
  'sums/input-gradient-zero': 'the gradient of the input is returned as zeros',
  'sums/kernel-gradient-zero': 'its term of dKernel is left out',
  'sums/kernel-gradient-twice': 'its term of dKernel is added twice',
  'sums/recurrent-kernel-gradient-zero': 'its term of dRecurrentKernel is left out',
  'sums/recurrent-kernel-gradient-twice': 'its term of dRecurrentKernel is added twice',
  'sums/bias-gradient-zero': 'its term of dBias is left out',
  'sums/bias-gradient-twice': 'its term of dBias is added twice',
  'steps/next-input': 'the term of dKernel is taken with x_{t+1} instead of x_t',
  'steps/state-after-for-state-before': 'the term of dRecurrentKernel is taken with h_t instead of h_{t-1}',
};

/** The names of the faults that are planted at single steps. */
export const stepFaultNames: readonly string[] = Object.keys(ofOneStep);

/** The fault planted at one step alone: that step runs the faulty equation, every other step the correct one. */
export function atStep(fault: Fault, step: number): StepFault {
  const { network, name } = fault;
  const own = class extends network {};
  const overridden = Object.keys(equations).filter(
    (key) => equationOf(network, key) !== equationOf(HandNetwork, key),
  );
  for (const key of overridden) {
    const [wrong, right] = [equationOf(network, key), equationOf(HandNetwork, key)];
    const { argument } = equations[key];
    Object.defineProperty(own.prototype, key, {
      value(this: HandNetwork, ...args: never[]): unknown {
        return (args[argument] === step ? wrong : right).apply(this, args);
      },
    });
  }
  if (overridden.length === 0) throw new Error(`${name} is not a fault of an equation of one step`);
  return {
    ...fault,
    name: `step/${name}`,
    words: `at time step ${step} alone, ${ofOneStep[name] ?? fault.words}`,
    network: own,
    timeStep: step,
    wrong: wrongQuantity(equations[overridden[0]].makes, step),
  };
}

/** What step t sends back is missed first by the step before it, or by the initial state. */
function wrongQuantity(makes: string, step: number): StepFault['wrong'] {
  if (makes !== 'carry') return { tensor: makes, timeStep: step };
  return step === 0
    ? { tensor: 'gradients.initialState' }
    : { tensor: 'dPreActivations', timeStep: step - 1 };
}

function equationOf({ prototype }: NetworkClass, key: string): Equation {
  return Reflect.get(prototype, key) as Equation;
}
