import type { PrecisionModel } from '../../../harness/budget/precision-model';
import type { Evaluation, Problem } from '../../../harness/base/problem';
import { singlePrecisionRun } from '../../../harness/budget/index';

const orders = ['sequential', 'reversedFused', 'lanes', 'double', 'blocks'] as const;

/** An honest float32 run that differs from all those the budget itself looks at. */
export function honestRun(problem: Problem, model: PrecisionModel, seed: number): Evaluation {
  return singlePrecisionRun(problem, {
    order: orders[seed % 5],
    kappa: model.kappa,
    noise: 'functions',
    seed: 1000 + seed,
    joint: seed % 3 === 0,
    flat: seed % 2 === 0,
  });
}
