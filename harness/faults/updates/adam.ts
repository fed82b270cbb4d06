import { weightNames } from '../answers';
import { HandOptimizer, type At, type Memory } from './hand-optimizer';
import { every, isAdam, remembers, type UpdateFault } from './update-fault';

const common = { family: 'optimizer', phase: 'update' } as const;
const forAdam = { shows: isAdam, equivalent: 'the optimizer is not Adam' };
const forLaterAdam = {
  shows: every(isAdam, remembers),
  equivalent: 'the optimizer is not Adam, or there is nothing to remember before the first update',
};

/** Faults of Adam. */
export const adamFaults: readonly UpdateFault[] = [
  {
    name: 'adam/no-bias-correction',
    words: 'the moments are used without the division by 1 - beta^t',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override corrections(): readonly [number, number] {
        return [1, 1];
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/second-moment-not-corrected',
    words: 'm is divided by 1 - beta1^t, but v is not divided by 1 - beta2^t',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override corrections(t: number): readonly [number, number] {
        return [super.corrections(t)[0], 1];
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/count-late',
    words: 'the bias correction counts one update too many',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override count(at: At): number {
        return super.count(at) + 1;
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/count-early',
    words: 'the bias correction counts one update too few, from the second update on',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override count(at: At): number {
        return Math.max(1, super.count(at) - 1);
      }
    },
    ...forLaterAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/counted-for-each-weight',
    words: 'the counter of updates increases for each weight, not once for all weights',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override count({ name }: At): number {
        return this.question.state.step * weightNames.length + weightNames.indexOf(name) + 1;
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/epsilon-inside-root',
    words: 'epsilon is added to v^ under the root, not to the root',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override adamStep(m: number, v: number, t: number): number {
        const [forM, forV] = this.corrections(t);
        return m / forM / Math.sqrt(v / forV + this.epsilon);
      }
    },
    shows: every(isAdam, ({ state }) => state.step === 0),
    equivalent: 'not exactly, but with a second moment far above epsilon both are below what float32 holds',
    wrong: 'weights',
  },
  {
    name: 'adam/other-form-of-epsilon',
    words:
      "epsilon is added to sqrt(v) instead of sqrt(v^), or the other way round: Keras's form for TensorFlow.js's",
    ...common,
    optimizer: class extends HandOptimizer {
      protected override adamStep(m: number, v: number, t: number): number {
        const [forM, forV] = this.corrections(t);
        if (this.form === 'keras') return m / forM / (Math.sqrt(v / forV) + this.epsilon);
        return ((Math.sqrt(forV) / forM) * m) / (Math.sqrt(v) + this.epsilon);
      }
    },
    shows: every(isAdam, ({ state }) => state.step === 0),
    equivalent: 'not exactly, but with a second moment far above epsilon both are below what float32 holds',
    wrong: 'weights',
  },
  {
    name: 'adam/second-moment-of-g',
    words: 'v is the average of |g|, not of g^2',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override secondMoment(before: number, g: number): number {
        return this.beta2 * before + (1 - this.beta2) * Math.abs(g);
      }
    },
    ...forAdam,
    wrong: 'v',
  },
  {
    name: 'adam/root-forgotten',
    words: 'the step is divided by v^, not by its root',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override adamStep(m: number, v: number, t: number): number {
        const [forM, forV] = this.corrections(t);
        return m / forM / (v / forV + this.epsilon);
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
  {
    name: 'adam/betas-swapped',
    words: 'beta1 and beta2 are swapped',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override firstMoment(before: number, g: number): number {
        return this.beta2 * before + (1 - this.beta2) * g;
      }
      protected override secondMoment(before: number, g: number): number {
        return this.beta1 * before + (1 - this.beta1) * g * g;
      }
      protected override corrections(t: number): readonly [number, number] {
        const [forM, forV] = super.corrections(t);
        return [forV, forM];
      }
    },
    ...forAdam,
    wrong: 'm',
  },
  {
    name: 'adam/moments-not-carried',
    words: 'the moments of the previous update are forgotten',
    ...common,
    optimizer: class extends HandOptimizer {
      protected override memory(before: Memory, g: number, at: At): Memory {
        return super.memory(this.isAdam ? { m: 0, v: 0 } : before, g, at);
      }
    },
    ...forLaterAdam,
    wrong: 'm',
  },
  {
    name: 'adam/step-before-moments',
    words:
      'the weights are updated with the moments of the previous update; the moments are updated afterwards',
    family: 'clipping-and-update-order',
    phase: 'update',
    optimizer: class extends HandOptimizer {
      protected override step(g: number, now: Memory, before: Memory, t: number): number {
        return super.step(g, this.isAdam ? before : now, before, t);
      }
    },
    ...forAdam,
    wrong: 'weights',
  },
];
