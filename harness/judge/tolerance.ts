import { checkOptions, type Tensor } from '../../scratch/index';
import { tensorOf, type AnyProblem, type Evaluation } from '../base/problem';
import { budgetFor, type Budget, precisionModelOf, type PrecisionModel, type Stage } from '../budget/index';
import type { Side } from './verdict';

/** What every element of every tensor of one answer may differ by. */
export interface Tolerances {
  /** one number for all elements, or one for each, row-major */
  allowed(name: string): number | Float64Array;
  /** where it comes from, for reports */ source(name: string): string;
  /** the derived error budget; absent when the user gave plain tolerances */ readonly budget?: Budget;
}

/** A tolerance given by the user: |error| <= absolute + relative * |reference|. */
export interface FixedTolerance {
  readonly absolute?: number | undefined;
  readonly relative?: number | undefined;
}

/** @throws RangeError for a name other than its two */
export function checkTolerance(tolerance: FixedTolerance | undefined, name: string): void {
  if (tolerance === undefined) return;
  checkOptions(tolerance, { absolute: true, relative: true }, `${name}: tolerance`);
  for (const [kind, value] of Object.entries(tolerance) as [string, number | undefined][])
    if (value !== undefined && !(value >= 0 && value < Infinity))
      throw new RangeError(
        `${name}: tolerance: ${kind} is ${String(value)}; pass a finite number of 0 or more.`,
      );
}

/**
 * The tolerances for one problem and one side: the derived budget (docs/tolerance.md), unless the user gave plain ones.
 *
 * @param problem the problem both sides solved, rounded to float32 where the judged side is float32
 * @param reference the float64 answer to it
 * @param side that is judged: its name and precision choose the constants
 * @throws RangeError when the judged side is float32 and the problem's numbers are not
 */
export function tolerancesFor(
  problem: AnyProblem,
  reference: Evaluation,
  side: Side,
  fixed: FixedTolerance = {},
): Tolerances {
  const { absolute, relative } = fixed;
  if (absolute !== undefined || relative !== undefined) {
    const source = `given: ${absolute ?? 0} + ${relative ?? 0} * |reference|`;
    return {
      allowed: (name) =>
        needed(reference, name).data.map((x) => (absolute ?? 0) + (relative ?? 0) * Math.abs(x)),
      source: () => source,
    };
  }
  const budget = budgetFor(problem, precisionModelOf(side));
  return {
    budget,
    allowed: (name) => budget.allowed(name, false),
    source: () => formulaInWords(budget.model),
  };
}

/** The derived tolerance as a sentence. */
export function formulaInWords(model: PrecisionModel, stage?: Stage): string {
  const sides = model.sides === 2 ? ', both sides counted' : '';
  return `the smaller of the rigorous rounding bound and ${deviationsInWords(stage)} of propagated rounding (${model.name} constants${sides})`;
}

/** `10 x 1.3 standard deviations in any customary form`. */
export function deviationsInWords({ inflation, otherForms }: Partial<Stage> = {}): string {
  const scaled = inflation !== undefined && inflation > 1 ? `10 x ${inflation.toPrecision(2)}` : '10';
  return `${scaled} standard deviations${otherForms === true ? ', in any customary form,' : ''}`;
}

/** The reference's tensor of that name; the reference must answer in full. */
export function needed(reference: Evaluation, name: string): Tensor {
  const tensor = tensorOf(reference, name);
  if (tensor === undefined) throw new Error(`the reference evaluation lacks ${name}; it must answer in full`);
  return tensor;
}
