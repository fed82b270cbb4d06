import { checkOptions, type OptionNames, type Tensor } from '../../scratch/index';
import {
  expectedNames,
  expectedShape,
  axesOf,
  tensorNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
} from '../base/problem';
import { compareTensor, compareTensors, type ExpectedTensor } from './compare-tensors';
import { judgeTensor } from './judge-tensor';
import { checkTolerance, needed, tolerancesFor, type FixedTolerance, type Tolerances } from './tolerance';
import { caseVerdict, type CaseVerdict, type Side } from './verdict';

export interface CompareOptions {
  /** who made the reference, for the verdict; default `scratch` */ readonly against?: string;
  /** names the side declared not to give */ readonly omits?: readonly string[] | undefined;
  /** replaces the derived tolerances */ readonly tolerance?: FixedTolerance | undefined;
}

const optionNames: OptionNames<CompareOptions> = { against: true, omits: true, tolerance: true };

/**
 * Judges one answer against the float64 reference's answer to the same problem.
 *
 * What must be there is decided by the problem alone (`expectedNames`), with the shapes the problem's sizes give; a reference
 * that lacks one of these tensors is an error, never a shorter comparison.
 *
 * @param problem the problem that both sides solved, rounding of its numbers included
 * @param reference the float64 answer
 * @param given the answer that is judged
 * @param side who gave it, and in which precision
 * @throws RangeError for an option that does not exist
 */
export function compareEvaluation(
  problem: AnyProblem,
  reference: Evaluation,
  given: Evaluation,
  side: Side,
  options: CompareOptions = {},
): CaseVerdict {
  checkOptions(options, optionNames, 'compareEvaluation');
  checkTolerance(options.tolerance, 'compareEvaluation');
  const tolerances = tolerancesFor(problem, reference, side, options.tolerance);
  const { budget } = tolerances;
  const expected = expectedTensors(problem, reference, tolerances);
  const tensors = compareTensors(
    side.name,
    problem.id,
    expected,
    namedTensors(given),
    new Set(options.omits),
    budget === undefined
      ? compareTensor
      : (implementation, caseId, name, item, tensor) =>
          judgeTensor(implementation, caseId, name, item, tensor, budget),
  );
  return caseVerdict(problem.id, side.name, options.against ?? 'scratch', tensors);
}

/** What an answer to this problem must hold, with reference values and tolerances. */
export function expectedTensors(
  problem: AnyProblem,
  reference: Evaluation,
  tolerances: Tolerances,
): Map<string, ExpectedTensor> {
  return new Map(
    expectedNames(problem).map((name) => {
      const tensor = needed(reference, name);
      const shape = expectedShape(problem, name);
      if (tensor.shape.join() !== shape.join()) {
        throw new Error(
          `the reference's ${name} has shape [${tensor.shape.join(', ')}] but problem ${problem.id} asks for [${shape.join(', ')}]`,
        );
      }
      const allowed = tolerances.allowed(name);
      return [
        name,
        {
          reference: tensor,
          allowed,
          axes: axesOf(problem, name),
          tolerance: tolerances.source(name),
        },
      ];
    }),
  );
}

/** Every tensor an answer holds, by dotted name: also unknown ones, so that the judge sees them. */
export function namedTensors(evaluation: Evaluation): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  for (const name of tensorNames) {
    const tensor = tensorOf(evaluation, name);
    if (tensor !== undefined) named.set(name, tensor);
  }
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('data' in value && 'shape' in value) named.set(name, value as Tensor);
    else
      for (const [key, inner] of Object.entries(value)) {
        const own = Array.isArray(value) ? `layer${Number(key) + 1}` : key;
        walk(inner, name === '' ? own : `${name}.${own}`);
      }
  };
  walk(evaluation, '');
  return named;
}
