import type { Problem } from '../base/problem';
import { HandNetwork } from './hand-network';
import { add, scale, times, zerosLike, type Row, type Rows } from './rows';
import { hasGradients, hasInitialState, hasUpstreamStates, moreThanOneUnit } from './shows';
import type { NetworkClass, StepFault } from './fault';

/** What a fault of one time step is, before the step is chosen. */
interface OneStepFault extends Pick<StepFault, 'name' | 'family' | 'phase'> {
  readonly fault: string;
  /** the quantity whose equation is wrong, and of which step */
  readonly wrong: (step: number) => StepFault['wrong'];
  readonly network: (step: number) => NetworkClass;
  readonly shows?: (problem: Problem, step: number) => boolean;
}

const ofStep = (tensor: string) => (step: number) => ({ tensor, timeStep: step });
/** what step t sends back is missed first by the step before it, or by the initial state */
const receiver = (step: number): StepFault['wrong'] =>
  step === 0 ? { tensor: 'gradients.initialState' } : { tensor: 'dPreActivations', timeStep: step - 1 };
const notLast = (problem: Problem, step: number): boolean => step < problem.inputs.shape[1] - 1;
const hasStateBefore = (problem: Problem, step: number): boolean => step > 0 || hasInitialState(problem);

const stepFaults: readonly OneStepFault[] = [
  {
    name: 'bias-forgotten',
    fault: 'the bias is not added',
    family: 'weights-import',
    phase: 'forward',
    wrong: ofStep('states'),
    network: (step) =>
      class extends HandNetwork {
        protected override preActivation(x: Row, before: Row, t: number): number[] {
          const z = super.preActivation(x, before, t);
          return t === step ? add(z, scale(this.bias, -1)) : z;
        }
      },
  },
  {
    name: 'next-input-read',
    fault: 'the forward pass reads the input of the next step',
    family: 'wrong-time-step',
    phase: 'forward',
    wrong: ofStep('states'),
    network: (step) =>
      class extends HandNetwork {
        protected override inputAt(b: number, t: number): Row {
          return super.inputAt(b, t === step ? Math.min(t + 1, this.timeSteps - 1) : t);
        }
      },
    shows: notLast,
  },
  {
    name: 'state-before-lost',
    fault: 'the state of the step before does not enter',
    family: 'carry',
    phase: 'forward',
    wrong: ofStep('states'),
    network: (step) =>
      class extends HandNetwork {
        protected override preActivation(x: Row, before: Row, t: number): number[] {
          return super.preActivation(x, t === step ? zerosLike(before) : before, t);
        }
      },
    shows: hasStateBefore,
  },
  {
    name: 'state-too-large',
    fault: 'every state is 1 % too large',
    family: 'weights-import',
    phase: 'forward',
    wrong: ofStep('states'),
    network: (step) =>
      class extends HandNetwork {
        protected override activation(z: Row, t: number): number[] {
          return scale(super.activation(z, t), t === step ? 1.01 : 1);
        }
      },
  },
  {
    name: 'carry-dropped',
    fault: 'nothing is sent back to the step before',
    family: 'carry',
    phase: 'backward',
    wrong: receiver,
    network: (step) =>
      class extends HandNetwork {
        protected override carry(t: number, dz: Row, dh: Row): Row {
          return t === step ? zerosLike(dz) : super.carry(t, dz, dh);
        }
      },
  },
  {
    name: 'carry-negated',
    fault: 'what is sent back to the step before has the wrong sign',
    family: 'carry',
    phase: 'backward',
    wrong: receiver,
    network: (step) =>
      class extends HandNetwork {
        protected override carry(t: number, dz: Row, dh: Row): Row {
          return scale(super.carry(t, dz, dh), t === step ? -1 : 1);
        }
      },
  },
  {
    name: 'carry-not-transposed',
    fault: 'dz_t recurrentKernel is sent back in place of dz_t recurrentKernel^T',
    family: 'transpose',
    phase: 'backward',
    wrong: receiver,
    network: (step) =>
      class extends HandNetwork {
        protected override carry(t: number, dz: Row, dh: Row): Row {
          return t === step ? times(dz, this.recurrentKernel) : super.carry(t, dz, dh);
        }
      },
    shows: moreThanOneUnit,
  },
  {
    name: 'slope-missing',
    fault: 'tanh is not differentiated',
    family: 'tanh-derivative',
    phase: 'backward',
    wrong: ofStep('dPreActivations'),
    network: (step) =>
      class extends HandNetwork {
        protected override slope(b: number, t: number): number[] {
          return t === step ? this.states[b][t].map(() => 1) : super.slope(b, t);
        }
      },
  },
  {
    name: 'slope-of-step-before',
    fault: 'the derivative of tanh is taken at h_{t-1} in place of h_t',
    family: 'tanh-derivative',
    phase: 'backward',
    wrong: ofStep('dPreActivations'),
    network: (step) =>
      class extends HandNetwork {
        protected override slope(b: number, t: number): number[] {
          return t === step ? this.stateBefore(b, t).map((h) => 1 - h * h) : super.slope(b, t);
        }
      },
  },
  {
    name: 'arriving-dropped',
    fault: 'the gradient given for the state is dropped',
    family: 'arriving',
    phase: 'backward',
    wrong: ofStep('dPreActivations'),
    network: (step) =>
      class extends HandNetwork {
        protected override upstreamState(b: number, t: number): Row {
          return t === step ? zerosLike(this.bias) : super.upstreamState(b, t);
        }
      },
    shows: hasUpstreamStates,
  },
  {
    name: 'input-gradient-lost',
    fault: 'the gradient of the input is returned as zeros',
    family: 'wrong-time-step',
    phase: 'backward',
    wrong: ofStep('gradients.inputs'),
    network: (step) =>
      class extends HandNetwork {
        protected override inputGradient(dz: Row, t: number): Row {
          const dx = super.inputGradient(dz, t);
          return t === step ? zerosLike(dx) : dx;
        }
      },
  },
  ...share('skipped', 'is left out', 0),
  ...share('doubled', 'is added twice', 2),
  {
    name: 'next-input-for-kernel',
    fault: 'the share in dKernel is taken with x_{t+1} in place of x_t',
    family: 'wrong-time-step',
    phase: 'backward',
    wrong: ofStep('gradients.kernel'),
    network: (step) =>
      class extends HandNetwork {
        protected override inputForKernel(b: number, t: number): Row {
          return super.inputForKernel(b, t === step ? Math.min(t + 1, this.timeSteps - 1) : t);
        }
      },
    shows: notLast,
  },
  {
    name: 'state-after-for-state-before',
    fault: 'the share in dRecurrentKernel is taken with h_t in place of h_{t-1}',
    family: 'previous-state',
    phase: 'backward',
    wrong: ofStep('gradients.recurrentKernel'),
    network: (step) =>
      class extends HandNetwork {
        protected override stateForRecurrentKernel(b: number, t: number): Row {
          return t === step ? this.states[b][t] : super.stateForRecurrentKernel(b, t);
        }
      },
  },
];

/** The share of one step in the sums over time, counted `factor` times. */
function share(how: string, words: string, factor: number): OneStepFault[] {
  const common = { family: 'wrong-time-step', phase: 'backward' } as const;
  return [
    {
      ...common,
      name: `kernel-share-${how}`,
      fault: `its share in dKernel ${words}`,
      wrong: ofStep('gradients.kernel'),
      network: (step) =>
        class extends HandNetwork {
          protected override kernelShare(b: number, t: number, dz: Row): Rows {
            return super.kernelShare(b, t, t === step ? scale(dz, factor) : dz);
          }
        },
    },
    {
      ...common,
      name: `recurrent-kernel-share-${how}`,
      fault: `its share in dRecurrentKernel ${words}`,
      wrong: ofStep('gradients.recurrentKernel'),
      network: (step) =>
        class extends HandNetwork {
          protected override recurrentKernelShare(b: number, t: number, dz: Row): Rows {
            return super.recurrentKernelShare(b, t, t === step ? scale(dz, factor) : dz);
          }
        },
      shows: hasStateBefore,
    },
    {
      ...common,
      name: `bias-share-${how}`,
      fault: `its share in dBias ${words}`,
      wrong: ofStep('gradients.bias'),
      network: (step) =>
        class extends HandNetwork {
          protected override biasShare(_b: number, t: number, dz: Row): Row {
            return t === step ? scale(dz, factor) : dz;
          }
        },
    },
  ];
}

/** The names of the faults that can sit in a single step. */
export const stepFaultNames: readonly string[] = stepFaults.map(({ name }) => name);

/** Every fault that one time step alone can have, planted at this one (counted from 0). */
export function faultsOfStep(step: number): StepFault[] {
  return stepFaults.map(({ name, fault, family, phase, wrong, network, shows }) => ({
    name: `step/${name}`,
    words: `at time step ${step} alone, ${fault}`,
    family,
    phase,
    timeStep: step,
    wrong: wrong(step),
    network: network(step),
    shows: (problem) =>
      step < problem.inputs.shape[1] &&
      (phase !== 'backward' || hasGradients(problem)) &&
      (shows?.(problem, step) ?? true),
    equivalent: 'the sequence does not reach that step, or nothing passes through it',
  }));
}
