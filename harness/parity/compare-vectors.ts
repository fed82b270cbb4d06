import {
  caseVerdict,
  compareTensor,
  compareTensors,
  judgeSignal,
  namedTensors,
  tolerancesFor,
  type CaseVerdict,
  type ExpectedTensor,
  type FixedTolerance,
  type Side,
  type TensorVerdict,
  type Tolerances,
} from '../judge/index';
import {
  tensorAxes,
  tensorNames,
  tensorOf,
  type Evaluation,
  type TensorName,
  type Problem,
} from '../base/problem';
import type { VectorCase } from '../problems/vectors/index';

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
    wanted.map((name) => [
      name as string,
      expectation(comparison, name, tolerances.allowed(name), tolerances),
    ]),
  );
  const given = new Map([...namedTensors(comparison.given)].filter(([name]) => expected.has(name)));
  const omits = new Set<string>(comparison.omits);
  const tensors = compareTensors(side.name, vector.id, expected, given, omits, (...args) => {
    const name = args[2] as TensorName;
    return judgeVector(comparison, name, tolerances, (expectation) =>
      compareTensor(args[0], args[1], name, expectation, args[4]),
    );
  });
  return caseVerdict(vector.id, side.name, vector.source, tensors);
}

/** As `judgeTensor` does: the plain budget, then the inflated one; ill-conditioned where the budget swallows the signal. */
function judgeVector(
  comparison: VectorComparison,
  name: TensorName,
  tolerances: Tolerances,
  compare: (expectation: ExpectedTensor) => TensorVerdict,
): TensorVerdict {
  const { budget } = tolerances;
  let verdict = compare(expectation(comparison, name, tolerances.allowed(name), tolerances));
  if (budget === undefined || (verdict.status !== 'pass' && verdict.status !== 'differs')) return verdict;
  let own = budget.allowed(name, false);
  if (verdict.status === 'differs') {
    // Where honest float32 runs scatter more than independent errors would, the budget allows for it (docs/tolerance.md).
    own = budget.allowed(name, true);
    verdict = compare(expectation(comparison, name, own, tolerances));
  }
  const numbers = need(comparison.vector.expected, name).data;
  const rounding = roundingOfInputs(comparison, name);
  const allowed = own.map((e, i) => e + rounding[i]);
  const { digits, ...shown } = judgeSignal(numbers, need(comparison.given, name).data, allowed, budget.model);
  if (verdict.status === 'pass') return { ...verdict, digits, ...shown };
  const rigorous = budget.bound[name];
  if (budget.linear || rigorous === undefined) return { ...verdict, digits };
  const possible = compare(expectation(comparison, name, rigorous, tolerances)).status === 'pass';
  const reason =
    'ill-conditioned: rounding errors grow until they are no longer small (chaotic or saturated)';
  return possible ? { ...verdict, digits, status: 'ill', reason } : { ...verdict, digits };
}

/** What rounding the numbers of the file to float32 does to the answer; zeros for a float64 side. */
function roundingOfInputs({ exact, reference }: VectorComparison, name: TensorName): Float64Array {
  const after = need(reference, name).data;
  return need(exact, name).data.map((x, i) => Math.abs(x - after[i]));
}

function expectation(
  comparison: VectorComparison,
  name: TensorName,
  own: number | Float64Array,
  tolerances: Tolerances,
): ExpectedTensor {
  const { vector, exact, reference } = comparison;
  const expected = need(vector.expected, name);
  const fromFile = vector.tolerance.get(name) ?? 0;
  const rounding = roundingOfInputs(comparison, name);
  const allowed = expected.data.map(
    (_, i) => fromFile + (typeof own === 'number' ? own : own[i]) + rounding[i],
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
