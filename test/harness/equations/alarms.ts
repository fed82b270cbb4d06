import {
  budgetForNetwork,
  stepsOfNetwork,
  type PrecisionModel,
  type Spread,
} from '../../../harness/budget/index';
import type { Network, NetworkProblem } from '../../../harness/equations/index';
import { judgeNumbers, type TensorVerdict } from '../../../harness/judge/index';
import type { Tensor } from '../../../scratch/index';

type Answer = ReadonlyMap<string, Tensor>;
type Judged = ReadonlyMap<
  string,
  {
    readonly value: Float64Array;
    readonly shape: readonly number[];
    readonly given: Tensor;
    readonly spread: Spread;
  }
>;

/** An answer judged by its results: a verdict for every tensor. */
export function judgeResults(
  network: Network,
  problem: NetworkProblem,
  answer: Answer,
  model: PrecisionModel,
): TensorVerdict[] {
  const budget = budgetForNetwork(network, problem, model);
  return verdicts(
    new Map(
      [...budget.estimates].map(([name, { value, shape }]) => [
        name,
        {
          value,
          shape,
          given: answer.get(name) ?? { data: value.map(() => NaN), shape },
          spread: budget.spread(name),
        },
      ]),
    ),
    model,
    true,
  );
}

/** The answer to the instrumented problem, equation by equation. */
export function judgeEveryStep(
  network: Network,
  problem: NetworkProblem,
  answer: Answer,
  model: PrecisionModel,
): TensorVerdict[] {
  const steps = stepsOfNetwork(network, problem, answer, model);
  return verdicts(
    new Map(
      [...steps].map(([name, step]) => [name, { ...step, given: { data: step.given, shape: step.shape } }]),
    ),
    model,
    false,
  );
}

function verdicts(judged: Judged, model: PrecisionModel, mean: boolean): TensorVerdict[] {
  return [...judged].map(
    ([name, { value, shape, given, spread }]) =>
      judgeNumbers({
        implementation: model.name,
        caseId: '',
        name,
        expected: { reference: { data: value, shape }, axes: shape.map((_, i) => `axis ${i}`) },
        given,
        spread,
        model,
        mean,
        inWords: () => '',
      }).verdict,
  );
}

/** `states.rnn: 1.2 of what is allowed`, of every tensor that is blamed. */
export function blamed(all: readonly TensorVerdict[]): string[] {
  return all
    .filter(({ status }) => !['pass', 'zero', 'ill'].includes(status))
    .map(
      ({ tensor, status, worst }) => `${tensor} ${status}: ${String(worst?.usedShare)} of what is allowed`,
    );
}
