import type { OptimizerConfig } from '../../../scratch/index';
import { isFailing, type CaseVerdict, type TensorVerdict, type TrainingComparison } from '../../judge/index';
import type { Implementation } from '../../base/problem';
import { optimizerWith } from '../../faults/updates/index';
import { diagnose } from '../diagnose';
import type { Diagnosis } from '../diagnosis';
import { examine, type Examination } from '../../examine/index';
import { ulpsBetween } from '../../base/ulps';
import { faultClassOfUpdate } from './fault-class-of-update';
import { numbersOf, questionOf, Replay } from './replay';
import { ruleOnUpdate } from './rule-on-update';

/**
 * What is wrong with an update of the weights, or of the optimizer's memory. The side is asked for the gradients of the same batch
 * first: where these are wrong, the update only follows from them.
 *
 * @param verdict the failing verdict on the comparison
 * @param others other updates of the side by the same rule, to tell apart what one update cannot
 */
export async function diagnoseUpdate(
  implementation: Implementation,
  comparison: TrainingComparison,
  verdict: CaseVerdict,
  others: readonly TrainingComparison[] = [],
): Promise<Diagnosis> {
  const { caseId, step, optimizer } = comparison;
  const failing = verdict.tensors.filter(isFailing).sort(byOrder);
  const gradients = await examinationOf(implementation, comparison);
  if (gradients !== undefined && hasWrongNumbers(gradients)) {
    const cause = await diagnose(implementation, gradients);
    return { ...cause, caseId, inherited: [...cause.inherited, ...failing.map(({ tensor }) => tensor)] };
  }
  const question = questionOf(comparison);
  const { name, precision } = implementation;
  const made = { question, result: step.given };
  const more = others.map((other) => ({ question: questionOf(other), result: other.step.given }));
  const kind = faultClassOfUpdate(made, more, implementation);
  const { side, note } = ruleOnUpdate(
    question,
    { name: 'scratch', precision: 'float64', result: step.scratch },
    { name, precision, result: step.given },
  );
  const [{ tensor, worst }] = failing;
  const [group] = tensor.split('.');
  const formula = formulaOf(group, optimizer);
  return {
    implementation: name,
    caseId,
    phase: group === 'loss' ? 'loss' : 'update',
    tensor,
    ...(formula !== undefined && { formula }),
    ...(worst && {
      worst: {
        at: worst.at,
        given: worst.given,
        expected: worst.reference,
        ulps: ulpsBetween(worst.given, worst.reference, precision),
      },
    }),
    inherited: isMemory(group) ? followers(implementation, comparison, failing) : [],
    ...(kind && { kind }),
    side,
    sideNote: note,
    unseen:
      gradients === undefined ? ['the gradient that this update was made from: the side gives none'] : [],
  };
}

const order = ['loss', 'velocity', 'm', 'v', 'weights'];
const byOrder = (one: TensorVerdict, other: TensorVerdict): number =>
  order.indexOf(one.tensor.split('.')[0]) - order.indexOf(other.tensor.split('.')[0]);
const isMemory = (group: string): boolean => group !== 'loss' && group !== 'weights';

/** How the side answers the same batch without an update; undefined where it does not. */
async function examinationOf(
  implementation: Implementation,
  { step, reference }: TrainingComparison,
): Promise<Examination | undefined> {
  try {
    const views = ['results', 'steps'] as const;
    const examination = await examine(implementation, step.problem, { reference, views });
    return examination.results?.answer.gradients === undefined ? undefined : examination;
  } catch {
    return undefined;
  }
}

function hasWrongNumbers({ results, steps }: Examination): boolean {
  const tensors = [results, steps].flatMap((view) => view?.verdict.tensors ?? []);
  return tensors.some(({ status }) => ['differs', 'nan', 'infinity'].includes(status));
}

/** Failing weights that follow from the side's own new memory by the rule. */
function followers(
  implementation: Implementation,
  comparison: TrainingComparison,
  failing: readonly TensorVerdict[],
): string[] {
  const { given } = comparison.step;
  const fromOwnMemory = optimizerWith({
    memory: ({ right }, before, g, at) =>
      Object.fromEntries(
        Object.keys(right(before, g, at)).map((slot) => [
          slot,
          numbersOf(given, slot, at.name)?.data[at.i] ?? NaN,
        ]),
      ),
  });
  const wrong = new Replay(fromOwnMemory, questionOf(comparison), implementation).wrongIn(given);
  return failing
    .map(({ tensor }) => tensor)
    .filter((tensor) => tensor.startsWith('weights.') && !wrong.includes(tensor));
}

function formulaOf(group: string, optimizer: OptimizerConfig): string | undefined {
  if (group === 'loss') return 'the loss of the batch before the update';
  if (group === 'velocity') return 'velocity = momentum velocity + g';
  if (group === 'm') return 'm = beta1 m + (1 - beta1) g';
  if (group === 'v') return 'v = beta2 v + (1 - beta2) g^2';
  if (optimizer.name === 'adam')
    return optimizer.form === 'keras'
      ? 'w -= learningRate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)'
      : 'w -= learningRate m^ / (sqrt(v^) + epsilon), m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t)';
  if ((optimizer.momentum ?? 0) === 0) return 'w -= learningRate g';
  return optimizer.nesterov === true
    ? 'w -= learningRate (g + momentum velocity)'
    : 'w -= learningRate velocity';
}
