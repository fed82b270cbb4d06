import { weightNames } from '../answers';
import {
  each,
  gradientsOf,
  HandOptimizer,
  normOf,
  type Memory,
  type Numbers,
  type UpdateQuestion,
} from './hand-optimizer';
import { every, isPlain, not, type UpdateFault } from './update-fault';

const common = { family: 'clipping-and-update-order', phase: 'update' } as const;
const normIsAbove = ({ clipNorm = Infinity, problem }: UpdateQuestion): boolean =>
  normOf(gradientsOf(problem), weightNames) > clipNorm;

/** Faults of clipping by the norm of all gradients together. */
export const updateClippingFaults: readonly UpdateFault[] = [
  {
    name: 'clip/ignored',
    words: 'the gradients are not clipped, though clipNorm was given',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override clipped(gradients: Numbers): Numbers {
        return gradients;
      }
    },
    shows: normIsAbove,
    equivalent: 'the norm of all gradients together is below clipNorm, or there is none',
    wrong: 'gradient',
  },
  {
    name: 'clip/each-weight-by-itself',
    words: "each weight's gradient is clipped to clipNorm by itself, which turns the direction",
    ...common,
    optimizer: class extends HandOptimizer {
      protected override clipped(gradients: Numbers): Numbers {
        const { clipNorm = Infinity } = this.question;
        return each((name) => {
          const factor = Math.min(1, clipNorm / normOf(gradients, [name]));
          return gradients[name].map((g) => g * factor);
        });
      }
    },
    shows: normIsAbove,
    equivalent: 'the norm of all gradients together is below clipNorm, or there is none',
    wrong: 'gradient',
  },
  {
    name: 'clip/by-value',
    words: 'every number is clipped to clipNorm by itself',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override clipped(gradients: Numbers): Numbers {
        const { clipNorm = Infinity } = this.question;
        return each((name) => gradients[name].map((g) => Math.max(-clipNorm, Math.min(clipNorm, g))));
      }
    },
    shows: normIsAbove,
    equivalent: 'the norm of all gradients together is below clipNorm, or there is none',
    wrong: 'gradient',
  },
  {
    name: 'clip/always-scaled',
    words: 'the gradients are scaled to clipNorm even where they are smaller',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override clipped(gradients: Numbers): Numbers {
        const { clipNorm } = this.question;
        if (clipNorm === undefined) return gradients;
        const factor = clipNorm / normOf(gradients, weightNames);
        return each((name) => gradients[name].map((g) => g * factor));
      }
    },
    shows: (question) => question.clipNorm !== undefined && !normIsAbove(question),
    equivalent: 'the norm of all gradients together is above clipNorm, or there is none',
    wrong: 'gradient',
  },
  {
    name: 'clip/after-the-memory',
    words: 'the gradients enter the memory unclipped; only the step is scaled down',
    ...common,
    optimizer: class extends HandOptimizer {
      private factor = 1;
      protected override clipped(gradients: Numbers): Numbers {
        const { clipNorm = Infinity } = this.question;
        this.factor = Math.min(1, clipNorm / normOf(gradients, weightNames));
        return gradients;
      }
      protected override step(g: number, now: Memory, before: Memory, t: number): number {
        return this.factor * super.step(g, now, before, t);
      }
    },
    shows: every(normIsAbove, not(isPlain)),
    equivalent: 'the norm is below clipNorm, or there is no memory',
    wrong: 'gradient',
  },
];
