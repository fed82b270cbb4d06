import {
  caseVerdict,
  compareTensor,
  compareTensors,
  formulaInWords,
  judgeNumbers,
  namedTensors,
  tolerancesFor,
  type CaseVerdict,
  type ExpectedTensor,
  type FixedTolerance,
  type Side,
} from '../judge/index';
import type { Tensor } from '../../scratch/index';
import { bothSides, budgetFor, precisionModels } from '../budget/index';
import { referenceFor } from '../examine/index';
import {
  axesOf,
  expectedNames,
  roundProblem,
  tensorOf,
  type AnyProblem,
  type Evaluation,
} from '../base/problem';
import type { VectorCase } from '../problems/vectors/index';

export interface VectorComparison {
  readonly vector: VectorCase;
  /** the problem the side solved: rounded to float32 where it is a float32 side */ readonly solved: AnyProblem;
  /** the reference's answer to the problem as the file gives it */ readonly exact: Evaluation;
  /** the reference's answer to the problem that was solved */ readonly reference: Evaluation;
  readonly given: Evaluation;
  readonly side: Side;
  readonly omits?: readonly string[] | undefined;
  readonly tolerance?: FixedTolerance | undefined;
}

/**
 * Judges an answer against numbers from elsewhere; only what the file expects is compared. Element by element,
 *
 *     allowed = the file's tolerance + the budget + |reference(problem) - reference(rounded problem)|
 *
 * where the budget is the side's own, and that of a float32 program as well where the file's numbers were computed in float32
 * (`singlePrecisionNames`). The last term is what rounding the file's problem to float32 does to the answer (zero for float64 sides and
 * numbers).
 */
export function compareVectors(comparison: VectorComparison): CaseVerdict {
  const { vector, side, solved, reference } = comparison;
  const tolerances = tolerancesFor(solved, reference, side, comparison.tolerance);
  const { budget } = tolerances;
  const single = singlePrecisionNames(vector.expected);
  const wanted = expectedNames(solved).filter((name) => tensorOf(vector.expected, name) !== undefined);
  const expected = new Map(
    wanted.map((name): [string, ExpectedTensor] => {
      const own = tolerances.allowed(name);
      const extra = allowedBesides(comparison, name, single.has(name));
      const allowed = extra.map((e, i) => e + (typeof own === 'number' ? own : own[i]));
      const item = { reference: need(vector.expected, name), axes: axesOf(solved, name) };
      return [name, { ...item, allowed, tolerance: inWords(comparison, name, tolerances.source(name)) }];
    }),
  );
  const given = new Map([...namedTensors(comparison.given)].filter(([name]) => expected.has(name)));
  const omits = new Set<string>(comparison.omits);
  const compare: typeof compareTensor = (implementation, caseId, key, item, tensor) => {
    if (budget === undefined) return compareTensor(implementation, caseId, key, item, tensor);
    const name = key;
    const isSingle = single.has(name);
    const other = budgetFor(roundProblem(vector.problem), precisionModels.any);
    const { verdict } = judgeNumbers({
      implementation,
      caseId,
      name,
      expected: item,
      given: tensor,
      spread: isSingle ? bothSides(budget.spread(name), other.spread(name)) : budget.spread(name),
      model: isSingle ? other.model : budget.model,
      extra: allowedBesides(comparison, name, isSingle),
      inWords: (stage) => inWords(comparison, name, formulaInWords(budget.model, stage)),
    });
    return verdict;
  };
  const tensors = compareTensors(side.name, vector.id, expected, given, omits, compare);
  return caseVerdict(vector.id, side.name, vector.source, tensors);
}

/**
 * The expected tensors that were computed in single precision, as PyTorch does by default: every number of such a tensor is exact in
 * float32, and some number of the file needs more than 12 of its 24 bits (so that 0 and 0.5 of a float64 file do not count).
 */
export function singlePrecisionNames(expected: Evaluation): ReadonlySet<string> {
  const named = namedTensors(expected);
  const names = [...named.keys()].filter((name) => named.get(name)?.data.every((x) => Math.fround(x) === x));
  const isShort = (x: number): boolean =>
    x === 0 || Number.isInteger(x * 2 ** (11 - Math.floor(Math.log2(Math.abs(x)))));
  return names.some((name) => named.get(name)?.data.every(isShort) === false) ? new Set(names) : new Set();
}

/** The file's own tolerance, and what rounding the numbers of its problem to float32 does to the answer. */
function allowedBesides(comparison: VectorComparison, name: string, isSingle: boolean): Float64Array {
  const { vector, exact, reference } = comparison;
  const rounded = isSingle ? referenceFor(roundProblem(vector.problem)) : reference;
  const after = need(rounded, name).data;
  const fromFile = vector.tolerance.get(name) ?? 0;
  return need(exact, name).data.map((x, i) => fromFile + Math.abs(x - after[i]));
}

function inWords({ vector, exact, reference }: VectorComparison, name: string, own: string): string {
  const fromFile = vector.tolerance.get(name) ?? 0;
  const isSingle = singlePrecisionNames(vector.expected).has(name);
  return [
    ...(fromFile > 0 ? [`${fromFile} of the file`] : []),
    own,
    ...(isSingle ? ["the same of a float32 program (any constants): the file's numbers are float32"] : []),
    ...(exact === reference && !isSingle ? [] : ['what rounding the inputs to float32 does']),
  ].join(' + ');
}

function need(evaluation: Evaluation, name: string): Tensor {
  const tensor = tensorOf(evaluation, name);
  if (tensor === undefined) throw new Error(`compareVectors: no ${name} to compare with`);
  return tensor;
}
