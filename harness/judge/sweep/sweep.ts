import { createRandom, type Tensor } from '../../../scratch/index';
import type { Evaluation, Implementation, Problem } from '../../problem';
import { budgetFor } from '../budget/budget';
import { precisionModelOf } from '../budget/precision-model';
import { compareEvaluation } from '../compare-evaluation';
import { judgeLocally, problemForLocalJudgement } from '../judge-locally';
import type { CaseVerdict } from '../verdict';
import { weightProbe } from '../weight-probe';
import { generatedProblem, type GeneratedOptions } from './generated-problem';

export interface SweepOptions {
  readonly cases: number;
  readonly seed: number;
  /** of every `stride` problems one is also judged with planted faults; default 10 */ readonly stride?: number;
  readonly onProgress?: (done: number) => void;
}

/** How often a planted fault was found, by which means. */
export interface Found {
  /** problems in which the fault changes any number of the answer */ readonly planted: number;
  readonly byResults: number;
  readonly bySteps: number;
  readonly byProbe: number;
  readonly byAny: number;
  /** by |error| <= 1e-5 + 1e-5 |reference| */ readonly byPlainTolerance: number;
}

export interface SweepResult {
  readonly implementation: string;
  readonly problems: number;
  /** a correct side judged wrong: problem, tensor, where */ readonly falseAlarms: readonly string[];
  /** verdicts of results, and of those that were ill-conditioned, how many were settled step by step */
  readonly pass: number;
  readonly ill: number;
  readonly settled: number;
  /** median of allowed / (eps32 * largest |entry|) over the weight gradients of well-conditioned problems */
  readonly weightGradientBudget: number;
  /** largest share of its budget that any passing tensor used */ readonly largestShare: number;
  readonly oneWeight: Found;
  readonly scaledGradients: Found;
}

/** Gaussian weights over sqrt(fan-in), labels only. */
export const wellConditioned: GeneratedOptions = {
  kinds: ['gaussian'],
  scales: [0.3, 1],
  normalized: true,
  plain: true,
};

/**
 * Measures false alarms of the judge on a correct side over generated problems, nasty ones included, and its sensitivity to two
 * small faults on well-conditioned ones. The same seed gives the same problems.
 */
export async function sweep(implementation: Implementation, options: SweepOptions): Promise<SweepResult> {
  const { cases, seed, stride = 10 } = options;
  const falseAlarms: string[] = [];
  const count = { pass: 0, ill: 0, settled: 0 };
  let largestShare = 0;
  for (let i = 0; i < cases; i++) {
    const problem = generatedProblem(seed, i);
    const verdict = await compare(problem, implementation);
    const local = judgeLocally(
      problem,
      await implementation.evaluate(problemForLocalJudgement(problem)),
      implementation,
    );
    for (const t of [...verdict.tensors, ...local]) {
      if (t.status === 'pass') largestShare = Math.max(largestShare, t.worst?.usedShare ?? 0);
      else if (!['zero', 'ill'].includes(t.status))
        falseAlarms.push(
          `${problem.id}: ${t.tensor} ${t.status} ${t.reason ?? ''} ${JSON.stringify(t.worst)}`,
        );
    }
    if (verdict.status === 'pass') count.pass++;
    if (verdict.status === 'ill') {
      count.ill++;
      if (local.every((t) => t.status === 'pass' || t.status === 'zero')) count.settled++;
    }
    if (i % 100 === 99) options.onProgress?.(i + 1);
  }
  const shares: number[] = [];
  const oneWeight = nothingFound();
  const scaledGradients = nothingFound();
  for (let i = 0; i < Math.ceil(cases / stride); i++) {
    const problem = generatedProblem(seed + 1, i, wellConditioned);
    shares.push(...weightGradientShares(problem, implementation));
    const wrong = oneWeightWrong(problem, i);
    await look(oneWeight, problem, implementation, wrong, (answer) => answer);
    await look(scaledGradients, problem, implementation, problem, scaledBy(1 + 1e-6));
  }
  shares.sort((a, b) => a - b);
  return {
    implementation: implementation.name,
    problems: cases,
    falseAlarms,
    ...count,
    largestShare,
    weightGradientBudget: shares[shares.length >> 1],
    oneWeight,
    scaledGradients,
  };
}

async function compare(problem: Problem, side: Implementation): Promise<CaseVerdict> {
  const reference = budgetFor(problem, precisionModelOf(side)).trace.evaluation;
  return compareEvaluation(problem, reference, await side.evaluate(problem), side);
}

function nothingFound(): { -readonly [K in keyof Found]: number } {
  return { planted: 0, byResults: 0, bySteps: 0, byProbe: 0, byAny: 0, byPlainTolerance: 0 };
}

/** Lets the side solve `wrong`, spoils its answer, and judges it as the answer to `problem`. */
async function look(
  found: ReturnType<typeof nothingFound>,
  problem: Problem,
  side: Implementation,
  wrong: Problem,
  spoil: (answer: Evaluation) => Evaluation,
): Promise<void> {
  const reference = budgetFor(problem, precisionModelOf(side)).trace.evaluation;
  const given = spoil(await side.evaluate(wrong));
  if (sameGradients(given, await side.evaluate(problem))) return;
  const byResults = compareEvaluation(problem, reference, given, side).status === 'fail';
  const plain = { absolute: 1e-5, relative: 1e-5 };
  const byPlain = compareEvaluation(problem, reference, given, side, { tolerance: plain }).status === 'fail';
  const answer = spoil(await side.evaluate(problemForLocalJudgement(wrong)));
  const bySteps = judgeLocally(problem, answer, side).some((t) => t.status === 'differs');
  const probe = weightProbe(problem);
  const probed = spoil(await side.evaluate(weightProbe(wrong)));
  const expected = budgetFor(probe, precisionModelOf(side)).trace.evaluation;
  const byProbe = compareEvaluation(probe, expected, probed, side).status === 'fail';
  found.planted++;
  found.byResults += Number(byResults);
  found.bySteps += Number(bySteps);
  found.byProbe += Number(byProbe);
  found.byAny += Number(byResults || bySteps || byProbe);
  found.byPlainTolerance += Number(byPlain);
}

/** The problem with one recurrent weight, chosen by the number of the problem, times 1 + 1e-5. */
function oneWeightWrong(problem: Problem, index: number): Problem {
  const { recurrentKernel } = problem.weights;
  const data = recurrentKernel.data.slice();
  const at = createRandom(index).integer(data.length);
  data[at] = Math.fround(data[at] * (1 + 1e-5));
  return { ...problem, weights: { ...problem.weights, recurrentKernel: { ...recurrentKernel, data } } };
}

function scaledBy(factor: number): (answer: Evaluation) => Evaluation {
  return (answer) => ({
    ...answer,
    gradients: Object.fromEntries(
      Object.entries(answer.gradients ?? {}).map(([key, tensor]: [string, Tensor]) => [
        key,
        { ...tensor, data: tensor.data.map((x) => Math.fround(x * factor)) },
      ]),
    ),
  });
}

function sameGradients(a: Evaluation, b: Evaluation): boolean {
  const numbers = (e: Evaluation): number[] =>
    Object.values(e.gradients ?? {}).flatMap((tensor: Tensor) => Array.from(tensor.data));
  const other = numbers(b);
  return numbers(a).every((x, i) => x === other[i]);
}

function weightGradientShares(problem: Problem, side: Implementation): number[] {
  const budget = budgetFor(problem, precisionModelOf(side));
  const { gradients } = budget.trace.evaluation;
  return (['kernel', 'recurrentKernel', 'outputKernel'] as const).flatMap((key) => {
    const largest = gradients?.[key]?.data.reduce((m, x) => Math.max(m, Math.abs(x)), 0) ?? 0;
    if (largest === 0) return [];
    return Array.from(budget.allowed(`gradients.${key}`, false), (e) => e / largest / 2 ** -23);
  });
}
