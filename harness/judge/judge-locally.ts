import type { Evaluation, Problem } from '../problem';
import { emulatedRunOptions, emulatedRuns } from './budget/inflation';
import { deviations, shortDouble } from './budget/budget';
import { instrumentedProblem, localEquations, type LocalEquation } from './budget/local-equations';
import { rootMeanSquare } from './budget/matrix';
import { precisionModelOf, type PrecisionModel } from './budget/precision-model';
import { compareTensor } from './compare-tensors';
import { fewestDigits } from './judge-tensor';
import type { Side, TensorVerdict } from './verdict';
import { singlePrecisionRun } from '../referee/single-precision';

/** Whether a problem has a backward pass, so that its inner gradients can be seen on the instrumented problem. */
export function hasBackward(problem: Problem): boolean {
  return problem.labels !== undefined || problem.upstream !== undefined;
}

/** The problem to put to a side for its local judgement: instrumented where there is a backward pass. */
export function problemForLocalJudgement(problem: Problem): Problem {
  return hasBackward(problem) ? instrumentedProblem(problem) : problem;
}

/**
 * Judges every equation of the network by itself, from the side's own earlier values: no error accumulates over time, so
 * this tells right from wrong where a comparison of results cannot (ill-conditioned problems), and finds smaller faults.
 *
 * @param problem the plain problem, rounded to float32 where the side is float32
 * @param answer what the side answered to `problemForLocalJudgement(problem)`
 * @returns one verdict per kind of equation; `status` is pass, differs, ill, zero, nan or infinity
 */
export function judgeLocally(problem: Problem, answer: Evaluation, side: Side): TensorVerdict[] {
  const model = precisionModelOf(side);
  let inflations: Map<string, number> | undefined;
  return localEquations(problem, answer, model).map((equation) => {
    const plain = compare(problem, side, equation, 1);
    if (plain.status !== 'differs') return plain;
    inflations ??= localInflation(problem, model);
    return compare(problem, side, equation, inflations.get(equation.name) ?? 1);
  });
}

function compare(
  problem: Problem,
  side: Side,
  { name, formula, axes, expected, given, bound, sigma }: LocalEquation,
  inflation: number,
): TensorVerdict {
  const allowed = bound.map((e, i) => Math.min(e, deviations * inflation * sigma[i]));
  const tolerance = `local: ${formula}, from the side's own values; the smaller of the rigorous bound of this one step and ${inflation > 1 ? `10 x ${inflation.toPrecision(2)}` : '10'} standard deviations`;
  const verdict = compareTensor(
    side.name,
    problem.id,
    name,
    { reference: expected, allowed, axes, tolerance },
    given,
  );
  const signal = rootMeanSquare(expected.data);
  const budget = rootMeanSquare(allowed);
  const digits = Math.log10(signal / budget);
  if (verdict.status !== 'pass') return { ...verdict, digits };
  const vanishing = precisionModelOf(side).tiny * 1e8;
  if (signal < vanishing && budget < vanishing) return { ...verdict, digits, status: 'zero' };
  return digits >= fewestDigits
    ? { ...verdict, digits }
    : { ...verdict, digits, status: 'ill', reason: 'the budget of this single step is more than 1 % of it' };
}

/** How far the local residuals of emulated runs scatter beyond sigma, over 3; at least 1. */
function localInflation(problem: Problem, model: PrecisionModel): Map<string, number> {
  const inflations = new Map<string, number>();
  const asked = problemForLocalJudgement(problem);
  const emulated = model.precision === 'float32' ? model : shortDouble;
  for (let k = 0; k < emulatedRuns; k++) {
    const run = singlePrecisionRun(asked, emulatedRunOptions(k, emulated));
    for (const { name, expected, given, sigma } of localEquations(problem, run, emulated)) {
      let largest = inflations.get(name) ?? 1;
      expected.data.forEach((x, i) => {
        const ratio = Math.abs(given.data[i] - x) / sigma[i] / 3;
        if (Number.isFinite(ratio)) largest = Math.max(largest, ratio);
      });
      inflations.set(name, largest);
    }
  }
  return inflations;
}
