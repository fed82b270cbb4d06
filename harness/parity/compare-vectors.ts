import {
  caseVerdict,
  compareTensor,
  compareTensors,
  namedTensors,
  tolerancesFor,
  type CaseVerdict,
  type ExpectedTensor,
  type FixedTolerance,
  type Side,
  type Tolerances,
} from '../judge/index';
import { tensorAxes, tensorNames, tensorOf, type Evaluation, type TensorName } from '../problem';
import type { Problem } from '../problem';
import type { VectorCase } from '../vectors/index';

export interface VectorComparison {
  readonly vector: VectorCase;
  /** the problem the side solved: rounded to float32 where it is a float32 side */ readonly solved: Problem;
  /** the reference's answer to the problem as the file gives it */ readonly exact: Evaluation;
  /** the reference's answer to the problem that was solved */ readonly reference: Evaluation;
  readonly given: Evaluation;
  readonly side: Side;
  readonly omits?: readonly TensorName[] | undefined;
  readonly tolerance?: FixedTolerance | undefined;
}

/**
 * Judges an answer against numbers from elsewhere; only what the file expects is compared. Element by element,
 *
 *     allowed = the file's tolerance + the implementation's own budget + |reference(problem) - reference(rounded problem)|
 *
 * where the last term is what rounding the file's numbers to float32 does to the answer (zero for float64 sides).
 */
export function compareVectors(comparison: VectorComparison): CaseVerdict {
  const { vector, side } = comparison;
  const tolerances = tolerancesFor(comparison.solved, comparison.reference, side, comparison.tolerance);
  const wanted = tensorNames.filter((name) => tensorOf(vector.expected, name) !== undefined);
  const expected = new Map(
    wanted.map((name) => [name as string, expectation(comparison, name, tolerances, false)]),
  );
  const given = new Map([...namedTensors(comparison.given)].filter(([name]) => expected.has(name)));
  const omits = new Set<string>(comparison.omits);
  const tensors = compareTensors(side.name, vector.id, expected, given, omits, (...args) => {
    const verdict = compareTensor(...args);
    const name = args[2] as TensorName;
    if (verdict.status !== 'differs' || tolerances.budget === undefined) return verdict;
    // Where honest float32 runs scatter more than independent errors would, the budget allows for it (docs/tolerance.md).
    return compareTensor(args[0], args[1], name, expectation(comparison, name, tolerances, true), args[4]);
  });
  return caseVerdict(vector.id, side.name, vector.source, tensors);
}

function expectation(
  { vector, exact, reference }: VectorComparison,
  name: TensorName,
  tolerances: Tolerances,
  inflated: boolean,
): ExpectedTensor {
  const expected = need(vector.expected, name);
  const own =
    inflated && tolerances.budget ? tolerances.budget.allowed(name, true) : tolerances.allowed(name);
  const fromFile = vector.tolerance.get(name) ?? 0;
  const before = need(exact, name).data;
  const after = need(reference, name).data;
  const allowed = expected.data.map(
    (_, i) => fromFile + (typeof own === 'number' ? own : own[i]) + Math.abs(before[i] - after[i]),
  );
  const parts = [
    ...(fromFile > 0 ? [`${fromFile} of the file`] : []),
    tolerances.source(name),
    ...(exact === reference ? [] : ['what rounding the inputs to float32 does']),
  ];
  return { reference: expected, allowed, axes: tensorAxes[name], tolerance: parts.join(' + ') };
}

function need(
  evaluation: Evaluation,
  name: TensorName,
): { readonly data: Float64Array; readonly shape: readonly number[] } {
  const tensor = tensorOf(evaluation, name);
  if (tensor === undefined) throw new Error(`compareVectors: no ${name} to compare with`);
  return tensor;
}
