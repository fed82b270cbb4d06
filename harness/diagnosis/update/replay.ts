import type { ClassifierWeights, Tensor } from '../../../scratch/index';
import { budgetFor, possibleOf, precisionModelOf } from '../../budget/index';
import {
  explainsUpdate,
  namedUpdate,
  type Side,
  type TrainingComparison,
  updateReach,
  type Reach,
} from '../../judge/index';
import {
  each,
  gradientsOf,
  type Numbers,
  type OptimizerClass,
  type UpdateQuestion,
} from '../../faults/updates/index';

/** What one side had after an update. */
export interface UpdateResult {
  readonly loss: number;
  readonly weights: ClassifierWeights;
  readonly state: { readonly slots: Readonly<Record<string, ClassifierWeights>> };
}

/** What an update was asked to do. */
export function questionOf({ optimizer, clipNorm, step }: TrainingComparison): UpdateQuestion {
  return { optimizer, clipNorm, problem: step.problem, state: step.start.state };
}

/** One update by hand, and how far from it a side may be that makes the same update in its own precision. */
export class Replay {
  private readonly reach: ReadonlyMap<string, Reach>;
  private readonly loss: { readonly value: number; readonly allowed: number };

  /** @param inflated whether the gradients may be off by all that rounding can explain (`possibleOf`), which takes its time */
  constructor(optimizer: OptimizerClass, question: UpdateQuestion, side: Side, inflated = false) {
    const { problem, state } = question;
    const budget = budgetFor(problem, precisionModelOf(side));
    const start = {
      weights: problem.weights as ClassifierWeights,
      state: { ...state, config: question.optimizer },
    };
    const errors: Numbers = each((name) =>
      inflated ? possibleOf(budget.spread(`gradients.${name}`)) : budget.allowed(`gradients.${name}`, false),
    );
    const { unit } = budget.model;
    const gradients = gradientsOf(problem);
    this.reach = updateReach((shift, clipNorm) => new optimizer({ ...question, clipNorm }, shift).update(), {
      ...question,
      start,
      gradients,
      errors,
      unit,
    });
    const value = new optimizer(question).update().loss;
    this.loss = { value, allowed: budget.allowed('loss', inflated)[0] + unit * Math.abs(value) };
  }

  /** The quantities of a result that are farther off than they may be: `loss`, `velocity.kernel`, ... */
  wrongIn(result: UpdateResult): string[] {
    const given = namedUpdate(result);
    const wrong = [...this.reach].filter(([tensor, { centre, allowed }]) => {
      const data = given.get(tensor)?.data;
      return centre.some((x, i) => !(Math.abs((data?.[i] ?? NaN) - x) <= allowed[i]));
    });
    const names = wrong.map(([tensor]) => tensor);
    return this.hasLoss(result) ? names : ['loss', ...names];
  }

  /**
   * Whether this replay of a fault gives every number of a result, within what this update or the honest one may be off
   * (`explainsUpdate`).
   */
  explains(result: UpdateResult, honest: Replay): boolean {
    return this.hasLoss(result) && explainsUpdate(namedUpdate(result), this.reach, honest.reach);
  }

  private hasLoss({ loss }: UpdateResult): boolean {
    return Math.abs(loss - this.loss.value) <= this.loss.allowed;
  }
}

/** One tensor of the weights or of the memory. */
export function numbersOf(
  { weights, state }: UpdateResult,
  group: string,
  name: keyof ClassifierWeights,
): Tensor | undefined {
  const slots: Readonly<Partial<Record<string, ClassifierWeights>>> = state.slots;
  return (group === 'weights' ? weights : slots[group])?.[name];
}
