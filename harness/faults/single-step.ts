import type { Fault } from './fault';

/** A fault of one time step only. */
export interface StepFault extends Fault {
  /** the step, counted from 0 */ readonly timeStep: number;
  /** the first wrong quantity, as a diagnosis names it; and the step of its equation, where it has one */
  readonly wrong: { readonly tensor: string; readonly timeStep?: number };
}

/** The faults of the catalogue that are planted at one step as well: the quantity that is wrong, and what they are called there. */
const ofOneStep: Readonly<Record<string, readonly [makes: string, words: string] | undefined>> = {
  'weights/bias-forgotten': ['states', 'the bias is not added'],
  'weights/states-too-large': ['states', 'every state is 1 % too large'],
  'steps/forward-next-input': ['states', 'the forward pass reads the input of the next step'],
  'steps/state-before-ignored': ['states', 'the previous state is ignored'],
  'carry/dropped': ['carry', 'no gradient is carried to the previous step'],
  'carry/negated': ['carry', 'the gradient carried to the previous step has the wrong sign'],
  'carry/not-transposed': ['carry', 'dz_t recurrentKernel is carried back instead of dz_t recurrentKernel^T'],
  'slope/missing': ['dPreActivations', 'tanh is not differentiated'],
  'slope/step-before': ['dPreActivations', 'the derivative of tanh is taken at h_{t-1} instead of h_t'],
  'upstream/states-dropped': ['dPreActivations', 'the gradient given for the state is dropped'],
  'sums/input-gradient-zero': ['gradients.inputs', 'the gradient of the input is returned as zeros'],
  'sums/kernel-gradient-zero': ['gradients.kernel', 'its term of dKernel is left out'],
  'sums/kernel-gradient-twice': ['gradients.kernel', 'its term of dKernel is added twice'],
  'sums/recurrent-kernel-gradient-zero': [
    'gradients.recurrentKernel',
    'its term of dRecurrentKernel is left out',
  ],
  'sums/recurrent-kernel-gradient-twice': [
    'gradients.recurrentKernel',
    'its term of dRecurrentKernel is added twice',
  ],
  'sums/bias-gradient-zero': ['gradients.bias', 'its term of dBias is left out'],
  'sums/bias-gradient-twice': ['gradients.bias', 'its term of dBias is added twice'],
  'steps/next-input': ['gradients.kernel', 'the term of dKernel is taken with x_{t+1} instead of x_t'],
  'steps/state-after-for-state-before': [
    'gradients.recurrentKernel',
    'the term of dRecurrentKernel is taken with h_t instead of h_{t-1}',
  ],
};

/** The names of the faults that are planted at single steps. */
export const stepFaultNames: readonly string[] = Object.keys(ofOneStep);

/** The fault planted at one step alone: that step runs the faulty equation, every other step the correct one. */
export function atStep(fault: Fault, step: number): StepFault {
  const { name, runs } = fault;
  const own = ofOneStep[name];
  if (own === undefined) throw new Error(`${name} is not a fault of an equation of one step`);
  const [makes, words] = own;
  return {
    ...fault,
    name: `step/${name}`,
    words: `at time step ${step} alone, ${words}`,
    runs: (network, problem, occasion) => runs(network, problem, { ...occasion, isThere: (t) => t === step }),
    timeStep: step,
    wrong: wrongQuantity(makes, step),
  };
}

/** What step t sends back is missed first by the step before it, or by the initial state. */
function wrongQuantity(makes: string, step: number): StepFault['wrong'] {
  if (makes !== 'carry') return { tensor: makes, timeStep: step };
  return step === 0
    ? { tensor: 'gradients.initialState' }
    : { tensor: 'dPreActivations', timeStep: step - 1 };
}
