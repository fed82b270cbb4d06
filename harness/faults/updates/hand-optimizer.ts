import {
  weightNames,
  type ClassifierWeights,
  type OptimizerConfig,
  type OptimizerState,
} from '../../../scratch/index';
import type { Problem } from '../../base/problem';
import { rightAnswer } from '../replay';
import { withWrong, type Wrong } from '../wrong';

export type WeightName = (typeof weightNames)[number];
/** One array for each of the five weights. */
export type Numbers = Readonly<Record<WeightName, Float64Array>>;

/** One update to be made: from these weights and this memory, by the gradients of this batch. */
export interface UpdateQuestion {
  readonly optimizer: OptimizerConfig;
  /** the gradients are scaled down to this norm, all together */ readonly clipNorm?: number | undefined;
  /** the batch, with the weights before the update */ readonly problem: Problem;
  /** the memory before it */ readonly state: Pick<OptimizerState, 'step' | 'slots'>;
}

/** What one update made. */
export interface UpdateAnswer {
  /** of the batch, before the update */ readonly loss: number;
  readonly weights: Numbers;
  /** `velocity`, or `m` and `v` */ readonly slots: Readonly<Record<string, Numbers>>;
}

/** What the rule remembers of one number of one weight. */
export type Memory = Readonly<Record<string, number>>;

/** Where in the weights a number stands. */
export interface At {
  readonly name: WeightName;
  readonly i: number;
}

/**
 * One update once more, number by number and one method an equation, right in every part. A fault is a subclass that gets one
 * of these methods wrong. It shares no line with the optimizers of either side, so that it is a referee between them as well.
 */
export class HandOptimizer {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly form: 'tfjs' | 'keras';

  /** @param shift added to the gradients: how an update looks when these are off by a little */
  constructor(
    readonly question: UpdateQuestion,
    private readonly shift?: Numbers,
  ) {
    const { optimizer } = question;
    const [sgd, adam] = [
      optimizer.name === 'sgd' ? optimizer : undefined,
      optimizer.name === 'adam' ? optimizer : undefined,
    ];
    this.momentum = sgd?.momentum ?? 0;
    this.nesterov = sgd?.nesterov ?? false;
    this.beta1 = adam?.beta1 ?? 0.9;
    this.beta2 = adam?.beta2 ?? 0.999;
    this.epsilon = adam?.epsilon ?? 1e-7;
    this.form = adam?.form ?? 'tfjs';
  }

  update(): UpdateAnswer {
    const gradients = this.clipped(this.shifted(this.gradients()));
    const weights = each((name) => this.weightsOf(name).slice());
    const names = this.slotNames();
    const slots = Object.fromEntries(
      names.map((slot) => [
        slot,
        each((name) => weights[name].map((_, i) => this.remembered({ name, i })[slot])),
      ]),
    );
    for (const name of this.updated()) {
      gradients[name].forEach((raw, i) => {
        const at = { name, i };
        const w = weights[name][i];
        const g = this.gradient(raw, w);
        const before = this.remembered(at);
        const now = this.memory(before, g, at);
        weights[name][i] = this.moved(w, this.step(g, now, before, this.count(at)));
        for (const slot of names) slots[slot][name][i] = this.kept(now, before, slot);
      });
    }
    return { loss: this.loss(weights), weights, slots };
  }

  /** of the loss, for every weight */
  gradients(): Numbers {
    return gradientsOf(this.question.problem);
  }

  /** g clipNorm / |g| where |g|, the norm of all gradients together, exceeds clipNorm */
  clipped(gradients: Numbers): Numbers {
    const { clipNorm = Infinity } = this.question;
    const factor = Math.min(1, clipNorm / normOf(gradients, weightNames));
    return each((name) => gradients[name].map((g) => g * factor));
  }

  /** the weights that the optimizer knows, in the order of their updates */
  updated(): readonly WeightName[] {
    return weightNames;
  }

  /** g as it enters the rule */
  gradient(g: number, _w: number): number {
    return g;
  }

  /** the memory as the last update left it; zero before the first */
  remembered(at: At): Memory {
    const of = (slot: string): number => this.slot(slot)?.[at.name].data[at.i] ?? 0;
    if (this.isAdam) return { m: of('m'), v: of('v') };
    return this.momentum > 0 ? { velocity: of('velocity') } : {};
  }

  /** the new memory */
  memory(before: Memory, g: number, _at: At): Memory {
    if (this.isAdam) return { m: this.firstMoment(before.m, g), v: this.secondMoment(before.v, g) };
    return this.momentum > 0 ? { velocity: this.velocity(before.velocity, g) } : {};
  }

  /** what of the memory is there at the next update */
  kept(now: Memory, _before: Memory, slot: string): number {
    return now[slot];
  }

  /** velocity = momentum velocity + g */
  velocity(before: number, g: number): number {
    return this.momentum * before + g;
  }

  /** m = beta1 m + (1 - beta1) g */
  firstMoment(before: number, g: number): number {
    return this.beta1 * before + (1 - this.beta1) * g;
  }

  /** v = beta2 v + (1 - beta2) g^2 */
  secondMoment(before: number, g: number): number {
    return this.beta2 * before + (1 - this.beta2) * g * g;
  }

  /** the number of this update, from 1 */
  count(_at: At): number {
    return this.question.state.step + 1;
  }

  /** what learningRate is multiplied with */
  step(g: number, now: Memory, _before: Memory, t: number): number {
    if (this.isAdam) return this.adamStep(now.m, now.v, t);
    return this.momentum > 0 ? this.momentumStep(g, now.velocity) : g;
  }

  /** velocity; with Nesterov's momentum g + momentum velocity */
  momentumStep(g: number, velocity: number): number {
    return this.nesterov ? g + this.momentum * velocity : velocity;
  }

  /** tfjs: m^ / (sqrt(v^) + epsilon), m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t); keras: epsilon is added to sqrt(v) instead */
  adamStep(m: number, v: number, t: number): number {
    const [forM, forV] = this.corrections(t);
    if (this.form === 'keras') return ((Math.sqrt(forV) / forM) * m) / (Math.sqrt(v) + this.epsilon);
    return m / forM / (Math.sqrt(v / forV) + this.epsilon);
  }

  /** 1 - beta1^t and 1 - beta2^t */
  corrections(t: number): readonly [forM: number, forV: number] {
    return [1 - this.beta1 ** t, 1 - this.beta2 ** t];
  }

  /** w - learningRate step */
  moved(w: number, step: number): number {
    return w - this.learningRate() * step;
  }

  learningRate(): number {
    return this.question.optimizer.learningRate ?? (this.isAdam ? 0.001 : 0.01);
  }

  /** the loss of the batch, as reported; `_after` are the new weights */
  loss(_after: Numbers): number {
    return rightAnswer(this.question.problem).loss?.data[0] ?? NaN;
  }

  get isAdam(): boolean {
    return this.question.optimizer.name === 'adam';
  }

  weightsOf(name: WeightName): Float64Array {
    return this.question.problem.weights[name]?.data ?? new Float64Array(0);
  }

  private slotNames(): readonly string[] {
    if (this.isAdam) return ['m', 'v'];
    return this.momentum > 0 ? ['velocity'] : [];
  }

  private slot(name: string): ClassifierWeights | undefined {
    const slots: Readonly<Partial<Record<string, ClassifierWeights>>> = this.question.state.slots;
    return slots[name];
  }

  shifted(gradients: Numbers): Numbers {
    const { shift } = this;
    return shift === undefined
      ? gradients
      : each((name) => gradients[name].map((g, i) => g + shift[name][i]));
  }
}

/** An optimizer that makes one update. */
export type OptimizerClass = new (question: UpdateQuestion, shift?: Numbers) => HandOptimizer;

/** The optimizer with these equations wrong, and every other right. */
export function optimizerWith(wrong: Wrong<HandOptimizer>): OptimizerClass {
  return withWrong(HandOptimizer, wrong);
}

/** The gradients of a batch, by hand. */
export function gradientsOf(problem: Problem): Numbers {
  const { gradients } = rightAnswer(problem);
  return each((name) => gradients?.[name]?.data ?? new Float64Array(0));
}

/** The root of the sum of all squares. */
export function normOf<N extends string>(
  numbers: Readonly<Record<N, Float64Array>>,
  names: readonly N[],
): number {
  let sum = 0;
  for (const name of names) numbers[name].forEach((x) => (sum += x * x));
  return Math.sqrt(sum);
}

export function each(make: (name: WeightName) => Float64Array): Numbers {
  const [kernel, recurrentKernel, bias] = [make('kernel'), make('recurrentKernel'), make('bias')];
  return {
    kernel,
    recurrentKernel,
    bias,
    outputKernel: make('outputKernel'),
    outputBias: make('outputBias'),
  };
}
