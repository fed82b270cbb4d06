import { weightNames } from '../answers';
import { each, HandOptimizer, normOf, type Memory, type Numbers } from './hand-optimizer';
import { always, hasNesterov, isAdam, type UpdateFault } from './update-fault';

const harmless = { family: 'optimizer', phase: 'update', wrong: 'weights' } as const;

/** Other ways to compute the same update: they look like mistakes but are correct. `shows` is where an update is computed that way. */
export const updateEquivalents: readonly UpdateFault[] = [
  {
    name: 'equivalent/weights-updated-from-last-to-first',
    words: 'the last weight is updated first',
    ...harmless,
    shows: always,
    equivalent: 'all gradients are there before the first update, and each weight moves by its own alone',
    optimizer: class extends HandOptimizer {
      protected override updated() {
        return [...super.updated()].reverse();
      }
    },
  },
  {
    name: 'equivalent/average-by-its-difference',
    words: 'm moves by (1 - beta1) (g - m), and v likewise',
    ...harmless,
    shows: isAdam,
    equivalent: 'm + (1 - beta1) (g - m) = beta1 m + (1 - beta1) g',
    optimizer: class extends HandOptimizer {
      protected override firstMoment(before: number, g: number): number {
        return before + (1 - this.beta1) * (g - before);
      }
      protected override secondMoment(before: number, g: number): number {
        return before + (1 - this.beta2) * (g * g - before);
      }
    },
  },
  {
    name: 'equivalent/nesterov-by-two-velocities',
    words: "Nesterov's step is taken as (1 + momentum) velocity - momentum old velocity",
    ...harmless,
    shows: hasNesterov,
    equivalent: 'g = velocity - momentum old velocity, so that g + momentum velocity is that',
    optimizer: class extends HandOptimizer {
      protected override step(g: number, now: Memory, before: Memory, t: number): number {
        if (!this.nesterov) return super.step(g, now, before, t);
        return (1 + this.momentum) * now.velocity - this.momentum * before.velocity;
      }
    },
  },
  {
    name: 'equivalent/corrections-taken-into-the-rate',
    words: 'the moments are not corrected; the learning rate and epsilon are',
    ...harmless,
    shows: isAdam,
    equivalent:
      'sqrt(c_v) / c_m m / (sqrt(v) + epsilon sqrt(c_v)) = m / c_m / (sqrt(v / c_v) + epsilon), c the corrections',
    optimizer: class extends HandOptimizer {
      protected override adamStep(m: number, v: number, t: number): number {
        const [forM, forV] = this.corrections(t);
        const root = Math.sqrt(forV);
        const epsilon = this.form === 'keras' ? this.epsilon : this.epsilon * root;
        return ((root / forM) * m) / (Math.sqrt(v) + epsilon);
      }
    },
  },
  {
    name: 'equivalent/clipped-without-asking-first',
    words: 'every gradient is multiplied by clipNorm / max(norm, clipNorm)',
    ...harmless,
    shows: ({ clipNorm }) => clipNorm !== undefined,
    equivalent: 'the factor is 1 where the norm is below clipNorm, and clipNorm / norm above it',
    optimizer: class extends HandOptimizer {
      protected override clipped(gradients: Numbers): Numbers {
        const { clipNorm } = this.question;
        if (clipNorm === undefined) return gradients;
        const norm = Math.max(clipNorm, normOf(gradients, weightNames));
        return each((name) => gradients[name].map((g) => (g * clipNorm) / norm));
      }
    },
  },
];
