import type { Evaluation } from '../base/problem';
import { changeGradients, layerNames, mapTensor, weightNames } from './answers';
import { HandNetwork } from './hand-network';
import { fits, type Row } from './rows';
import type { Fault } from './fault';

const memory = { family: 'memory' } as const;

/** Faults of memory: what is kept and should not be, or shared and should not be. */
export const memoryFaults: readonly Fault[] = [
  {
    name: 'memory/state-leaks-across-examples',
    words: 'the state is not reset: an example starts from the last state of the previous example',
    ...memory,
    phase: 'forward',
    network: class extends HandNetwork {
      protected override initialState(b: number): Row {
        return b === 0 ? super.initialState(b) : this.states[b - 1][this.timeSteps - 1];
      }
    },
  },
  {
    name: 'memory/state-leaks-across-calls',
    words: 'the state outlives the call: the next call starts from the final state of this one',
    ...memory,
    phase: 'forward',
    calls: true,
    network: class extends HandNetwork {
      protected override initialState(b: number): Row {
        const { data, shape = [] } = this.earlier?.answer.finalState ?? {};
        const kept = data && Array.from(data.slice(b * shape[1], (b + 1) * shape[1]));
        return fits(kept, this.bias) ? kept : super.initialState(b);
      }
    },
  },
  {
    name: 'memory/gradients-accumulate-across-calls',
    words: 'gradients are added to those of the previous call, because they are never reset to zero',
    ...memory,
    phase: 'backward',
    calls: true,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        const before = this.earlier?.answer.gradients;
        return changeGradients(answer, weightNames, (gradient, name) => {
          const old = before?.[name];
          if (old?.shape.join() !== gradient.shape.join()) return gradient;
          return mapTensor(gradient, (x, i) => x + old.data[i]);
        });
      }
    },
  },
  {
    name: 'memory/input-gradients-accumulate-across-calls',
    words: 'the gradients of inputs and initial state are added to those of the previous call',
    ...memory,
    phase: 'backward',
    calls: true,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        const before = this.earlier?.answer.gradients;
        return changeGradients(answer, ['inputs', 'initialState'], (gradient, name) => {
          const old = before?.[name];
          if (old?.shape.join() !== gradient.shape.join()) return gradient;
          return mapTensor(gradient, (x, i) => x + old.data[i]);
        });
      }
    },
  },
  {
    name: 'memory/answer-overwritten-by-next-call',
    words:
      'every call writes its gradients into the same arrays, so that the answer of the previous call changes',
    ...memory,
    phase: 'backward',
    calls: true,
    network: class extends HandNetwork {
      override handedOver(answer: Evaluation, before: Evaluation | undefined): Evaluation {
        return changeGradients(answer, layerNames, (gradient, name) => {
          const shared = before?.gradients?.[name];
          if (shared?.shape.join() !== gradient.shape.join()) return gradient;
          shared.data.set(gradient.data);
          return shared;
        });
      }
    },
  },
  {
    name: 'memory/one-array-for-all-states',
    words: 'every step stores the same array, so that all saved states equal the last one',
    ...memory,
    phase: 'forward',
    network: class extends HandNetwork {
      protected override forward(b: number): void {
        super.forward(b);
        const shared = this.states[b][this.timeSteps - 1];
        this.states[b].fill(shared);
      }
    },
  },
  {
    name: 'memory/one-array-for-all-input-gradients',
    words:
      "every step stores its input's gradient in the same array, so that all equal the gradient of the first step",
    ...memory,
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        return changeGradients(answer, ['inputs'], (gradient) => {
          const [, timeSteps, features] = gradient.shape;
          const size = timeSteps * features;
          return mapTensor(gradient, (_, i) => gradient.data[i - (i % size) + (i % features)]);
        });
      }
    },
  },
];
