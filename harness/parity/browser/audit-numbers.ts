import type { Tensor } from '../../../scratch/index';
import { evaluationOf, expectedNames, tensorOf, type AnyProblem } from '../../base/problem';
import { caseIdOf, questionFor, weightProbe, type Question } from '../../examine/index';
import {
  compareEvaluation,
  isFailing,
  namedTensors,
  type CaseVerdict,
  type TensorVerdict,
} from '../../judge/index';
import type { Cases } from '../cases';

/**
 * Judges in Node the numbers that a page's verdicts stand on: each tensor's worst number, instead of the reference's own, against the
 * scratch network's answer to the problem that the seed gives. Numbers of another seed, a tolerance that was widened and a mismatch that
 * was renamed are no rounding here. What is judged step by step is left out: it is compared with the side's own earlier values.
 *
 * @returns one line for each number that passes on the page and not here
 */
export function auditNumbers(verdicts: readonly CaseVerdict[], { problems, layered }: Cases): string[] {
  const questions = new Map(
    [...problems, ...layered].flatMap((problem) => questionsOf(problem).map((one) => [one.caseId, one])),
  );
  return verdicts.flatMap((verdict) => {
    const question = questions.get(verdict.caseId);
    return question === undefined ? [] : auditCase(verdict, question);
  });
}

type AskedCase = Question<AnyProblem> & { readonly caseId: string };

/** The questions whose answers are compared with the reference's, as a float32 side is asked. */
function questionsOf(given: AnyProblem): AskedCase[] {
  const plain = questionFor(given, 'float32');
  const probe = weightProbe(plain.problem);
  return [
    { ...plain, caseId: given.id },
    { ...plain, caseId: caseIdOf(given.id, 'repeat') },
    ...(probe === undefined
      ? []
      : [{ ...questionFor(probe, 'float32'), caseId: caseIdOf(given.id, 'probe') }]),
  ];
}

function auditCase({ implementation, caseId, tensors }: CaseVerdict, question: AskedCase): string[] {
  const { problem, reference } = question;
  const claimed = tensors.filter((one) => !isFailing(one));
  const worst = new Map(claimed.map(({ tensor, worst: element }) => [tensor, element]));
  const given = new Map(
    expectedNames(problem).flatMap((name) => {
      const right = tensorOf(reference, name);
      const element = worst.get(name);
      return right === undefined ? [] : [[name, element === undefined ? right : withNumber(right, element)]];
    }),
  );
  const side = { name: implementation, precision: 'float32' } as const;
  const again = compareEvaluation(problem, reference, evaluationOf(given), side);
  const wrong = new Set(again.tensors.filter(isFailing).map(({ tensor }) => tensor));
  const right = namedTensors(reference);
  return claimed
    .filter(({ tensor }) => wrong.has(tensor))
    .map(
      ({ tensor, worst: element }) =>
        `${implementation}, ${caseId}: ${tensor} is ${String(element?.given)} at [${String(element?.index)}], where the seed's problem gives ${String(numberAt(right.get(tensor), element))}: no rounding explains it`,
    );
}

/** A place outside of the tensor leaves no number: NaN is never right. */
function withNumber({ data, shape }: Tensor, element: NonNullable<TensorVerdict['worst']>): Tensor {
  const at = flatIndex(element.index, shape);
  return at === undefined
    ? { data: data.map(() => NaN), shape }
    : { data: data.with(at, element.given), shape };
}

function numberAt(tensor: Tensor | undefined, element: TensorVerdict['worst']): number | undefined {
  const at = tensor && element && flatIndex(element.index, tensor.shape);
  return at === undefined ? undefined : tensor?.data[at];
}

function flatIndex(index: readonly number[], shape: readonly number[]): number | undefined {
  const fits =
    index.length === shape.length &&
    index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
  return fits ? index.reduce((flat, i, axis) => flat * shape[axis] + i, 0) : undefined;
}
