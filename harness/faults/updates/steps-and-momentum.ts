import { sizesOf, type Problem } from '../../base/problem';
import { weightNames } from '../answers';
import { HandNetwork } from '../hand-network';
import { times, transpose, type Row } from '../rows';
import { gradientsOf, HandOptimizer, each, type Memory, type Numbers } from './hand-optimizer';
import {
  always,
  every,
  hasMomentum,
  hasNesterov,
  isPlain,
  not,
  remembers,
  type UpdateFault,
} from './update-fault';

const optimizer = { family: 'optimizer', phase: 'update' } as const;
const order = { family: 'clipping-and-update-order', phase: 'update' } as const;
const noMemory = 'there is no momentum, or nothing to remember before the first update';
const decay = 0.01;

/** Faults that any optimizer can have. */
export const stepFaults: readonly UpdateFault[] = [
  {
    name: 'optimizer/learning-rate-twice',
    words: 'the step is multiplied by the learning rate twice',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override learningRate(): number {
        return super.learningRate() ** 2;
      }
    },
    shows: always,
    wrong: 'weights',
  },
  {
    name: 'optimizer/uphill',
    words: 'the step is added instead of subtracted, so that the loss grows',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override moved(w: number, step: number): number {
        return w + this.learningRate() * step;
      }
    },
    shows: always,
    wrong: 'weights',
  },
  {
    name: 'optimizer/step-taken-twice',
    words: 'the step is taken twice',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override moved(w: number, step: number): number {
        return super.moved(super.moved(w, step), step);
      }
    },
    shows: always,
    wrong: 'weights',
  },
  {
    name: 'optimizer/weight-decay-in-gradient',
    words: `${decay} times the weight is added to its gradient, although weight decay is not set`,
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override gradient(g: number, w: number): number {
        return g + decay * w;
      }
    },
    shows: always,
    wrong: 'gradient',
  },
  {
    name: 'optimizer/weight-decay-beside-step',
    words: `every weight shrinks by ${decay} of itself times the learning rate, although weight decay is not set`,
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override moved(w: number, step: number): number {
        return super.moved(w, step + decay * w);
      }
    },
    shows: always,
    wrong: 'weights',
  },
  {
    name: 'optimizer/sum-over-the-batch',
    words: 'the gradients are multiplied by the size of the batch before they are used',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override gradient(g: number): number {
        return g * sizesOf(this.question.problem).batch;
      }
    },
    shows: ({ problem }) => sizesOf(problem).batch > 1,
    equivalent: 'B = 1',
    wrong: 'gradient',
  },
  {
    name: 'optimizer/bias-forgotten',
    words: 'the bias is not in the list of weights to update',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override updated() {
        return super.updated().filter((name) => name !== 'bias');
      }
    },
    shows: always,
    wrong: 'gradient',
    only: ['bias'],
  },
  {
    name: 'optimizer/memory-not-kept',
    words: 'the new memory is used, but the old memory is kept for the next update',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override kept(_now: Memory, before: Memory, slot: string): number {
        return before[slot];
      }
    },
    shows: not(isPlain),
    equivalent: 'there is nothing to remember',
    wrong: 'gradient',
  },
  {
    name: 'order/output-layer-updated-first',
    words: 'the output kernel is updated before the gradient of the state is computed with it',
    ...order,
    optimizer: class extends HandOptimizer {
      protected override gradients(): Numbers {
        const { problem } = this.question;
        const right = gradientsOf(problem);
        const outputKernel = this.weightsOf('outputKernel').map((w, i) =>
          this.moved(
            w,
            this.step(right.outputKernel[i], this.memoryOf(right, i), {}, this.question.state.step + 1),
          ),
        );
        const { units, classes = 1 } = sizesOf(problem);
        const rows = Array.from({ length: units }, (_, j) => [
          ...outputKernel.subarray(j * classes, (j + 1) * classes),
        ]);
        const late = class extends HandNetwork {
          protected override fromOutput(dLogits: Row): Row {
            return times(dLogits, transpose(rows));
          }
        };
        const { gradients } = new late(problem).evaluate();
        return each((name) => gradients?.[name]?.data ?? right[name]);
      }
      private memoryOf(right: Numbers, i: number): Memory {
        const at = { name: 'outputKernel', i } as const;
        return this.memory(this.remembered(at), right.outputKernel[i], at);
      }
    },
    shows: always,
    wrong: 'gradient',
    only: ['kernel', 'recurrentKernel', 'bias'],
  },
  {
    name: 'order/loss-after-update',
    words: 'the reported loss is that of the weights after the update',
    family: 'clipping-and-update-order',
    phase: 'loss',
    optimizer: class extends HandOptimizer {
      protected override loss(after: Numbers): number {
        const { problem } = this.question;
        const moved = weightNames.map((name) => [
          name,
          { data: after[name], shape: problem.weights[name]?.shape },
        ]);
        const later = { ...problem, weights: Object.fromEntries(moved) as Problem['weights'] };
        return new HandNetwork(later).evaluate().loss?.data[0] ?? NaN;
      }
    },
    shows: always,
    wrong: 'loss',
  },
];

/** Faults of momentum. */
export const momentumFaults: readonly UpdateFault[] = [
  {
    name: 'momentum/not-carried',
    words: 'the velocity of the previous update is forgotten',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override velocity(_before: number, g: number): number {
        return g;
      }
    },
    shows: every(hasMomentum, remembers),
    equivalent: noMemory,
    wrong: 'velocity',
  },
  {
    name: 'momentum/dampened',
    words: 'the gradient is multiplied by 1 - momentum before it is added to the velocity, as in an average',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override velocity(before: number, g: number): number {
        return this.momentum * before + (1 - this.momentum) * g;
      }
    },
    shows: hasMomentum,
    equivalent: 'there is no momentum',
    wrong: 'velocity',
  },
  {
    name: 'momentum/wrong-sign',
    words: 'the old velocity is subtracted instead of added',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override velocity(before: number, g: number): number {
        return g - this.momentum * before;
      }
    },
    shows: every(hasMomentum, remembers),
    equivalent: noMemory,
    wrong: 'velocity',
  },
  {
    name: 'momentum/step-before-velocity',
    words:
      'the weights are updated with the velocity of the previous update; the velocity is updated afterwards',
    ...order,
    optimizer: class extends HandOptimizer {
      protected override step(g: number, now: Memory, before: Memory, t: number): number {
        return super.step(g, this.momentum > 0 ? before : now, before, t);
      }
    },
    shows: hasMomentum,
    equivalent: 'there is no momentum',
    wrong: 'weights',
  },
  {
    name: 'momentum/learning-rate-in-velocity',
    words:
      'the velocity includes the learning rate, although the given velocity does not: the old part weighs too much',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override velocity(before: number, g: number): number {
        return this.momentum * before + this.learningRate() * g;
      }
      protected override momentumStep(g: number, velocity: number): number {
        const step = this.nesterov ? this.learningRate() * g + this.momentum * velocity : velocity;
        return step / this.learningRate();
      }
    },
    shows: hasMomentum,
    equivalent: 'there is no momentum',
    wrong: 'velocity',
  },
  {
    name: 'momentum/plain-for-nesterov',
    words: "the weights are updated with the velocity, although Nesterov's momentum is set",
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override momentumStep(_g: number, velocity: number): number {
        return velocity;
      }
    },
    shows: hasNesterov,
    equivalent: "Nesterov's momentum was not asked for",
    wrong: 'weights',
  },
  {
    name: 'momentum/nesterov-for-plain',
    words: 'the weights are updated with g + momentum velocity, although plain momentum is set',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override momentumStep(g: number, velocity: number): number {
        return g + this.momentum * velocity;
      }
    },
    shows: every(hasMomentum, not(hasNesterov)),
    equivalent: "Nesterov's momentum was asked for, or none",
    wrong: 'weights',
  },
  {
    name: 'momentum/nesterov-without-gradient',
    words: 'the weights are updated with momentum velocity, without the gradient',
    ...optimizer,
    optimizer: class extends HandOptimizer {
      protected override momentumStep(_g: number, velocity: number): number {
        return this.momentum * velocity;
      }
    },
    shows: hasMomentum,
    equivalent: 'there is no momentum',
    wrong: 'weights',
  },
];
