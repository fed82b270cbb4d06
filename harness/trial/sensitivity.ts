import { createRandom, type Tensor } from '../../scratch/index';
import { examine } from '../examine/index';
import { scratchImplementation } from '../sides/index';
import type { Evaluation, Implementation, Problem } from '../base/problem';
import { budgetFor, precisionModelOf } from '../budget/index';
import { compareEvaluation, isGreen } from '../judge/index';
import { adversarialProblem, type GeneratedOptions } from '../problems/index';

export interface SensitivityOptions {
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

export interface Sensitivity {
  readonly implementation: string;
  readonly problems: number;
  /** a correct side judged wrong: problem, tensor, where */ readonly falseAlarms: readonly string[];
  /** judged right, also where single steps had to settle it */ readonly pass: number;
  /** ill-conditioned, and not to be settled */ readonly ill: number;
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
 * Measures false alarms of the judge on a correct side over generated problems, adversarial ones included, and its sensitivity to two
 * small faults on well-conditioned ones. The same seed gives the same problems.
 */
export async function measureSensitivity(
  implementation: Implementation,
  options: SensitivityOptions,
): Promise<Sensitivity> {
  const { cases, seed, stride = 10 } = options;
  const falseAlarms: string[] = [];
  const count = { pass: 0, ill: 0 };
  let largestShare = 0;
  for (let i = 0; i < cases; i++) {
    const problem = adversarialProblem(seed, i);
    const { verdicts, status } = await examine(implementation, problem);
    for (const t of verdicts.flatMap(({ tensors }) => tensors)) {
      if (t.status === 'pass') largestShare = Math.max(largestShare, t.worst?.usedShare ?? 0);
      else if (!isGreen(t) && t.status !== 'ill')
        falseAlarms.push(
          `${problem.id}: ${t.tensor} ${t.status} ${t.reason ?? ''} ${JSON.stringify(t.worst)}`,
        );
    }
    if (status !== 'fail') count[status]++;
    if (i % 100 === 99) options.onProgress?.(i + 1);
  }
  const shares: number[] = [];
  const oneWeight = nothingFound();
  const scaledGradients = nothingFound();
  for (let i = 0; i < Math.ceil(cases / stride); i++) {
    const problem = adversarialProblem(seed + 1, i, wellConditioned);
    shares.push(...weightGradientShares(problem, implementation));
    await look(oneWeight, problem, implementation, oneWeightWrong(problem, i));
    await look(scaledGradients, problem, implementation, scaledBy(1 + 1e-6));
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

function nothingFound(): { -readonly [K in keyof Found]: number } {
  return { planted: 0, byResults: 0, bySteps: 0, byProbe: 0, byAny: 0, byPlainTolerance: 0 };
}

/** What a fault does to a side: to the problem that it solves, or to its answer. */
interface Fault {
  readonly before?: (problem: Problem) => Problem;
  readonly after?: (answer: Evaluation) => Evaluation;
}

/** Plants the fault in the side, and counts by which means it is found, where it changes anything. */
async function look(
  found: ReturnType<typeof nothingFound>,
  problem: Problem,
  side: Implementation,
  { before = (given) => given, after = (answer) => answer }: Fault,
): Promise<void> {
  const evaluate = async (given: Problem): Promise<Evaluation> => after(await side.evaluate(before(given)));
  const given = await evaluate(problem);
  if (sameGradients(given, await side.evaluate(problem))) return;
  const { results, steps, probe } = await examine({ ...side, evaluate }, problem);
  const [byResults, bySteps, byProbe] = [results, steps, probe].map(
    (view) => view?.verdict.status === 'fail',
  );
  const reference = await scratchImplementation().evaluate(problem);
  const plain = { absolute: 1e-5, relative: 1e-5 };
  const byPlain = compareEvaluation(problem, reference, given, side, { tolerance: plain }).status === 'fail';
  found.planted++;
  found.byResults += Number(byResults);
  found.bySteps += Number(bySteps);
  found.byProbe += Number(byProbe);
  found.byAny += Number(byResults || bySteps || byProbe);
  found.byPlainTolerance += Number(byPlain);
}

/** One recurrent weight, chosen by the number of the problem, times 1 + 1e-5. */
function oneWeightWrong(problem: Problem, index: number): Fault {
  const at = createRandom(index).integer(problem.weights.recurrentKernel.data.length);
  return {
    before: (given) => {
      const { recurrentKernel } = given.weights;
      const data = recurrentKernel.data.slice();
      data[at] = Math.fround(data[at] * (1 + 1e-5));
      return { ...given, weights: { ...given.weights, recurrentKernel: { ...recurrentKernel, data } } };
    },
  };
}

function scaledBy(factor: number): Fault {
  return {
    after: (answer) => ({
      ...answer,
      gradients: Object.fromEntries(
        Object.entries(answer.gradients ?? {}).map(([key, tensor]: [string, Tensor]) => [
          key,
          { ...tensor, data: tensor.data.map((x) => Math.fround(x * factor)) },
        ]),
      ),
    }),
  };
}

function sameGradients(a: Evaluation, b: Evaluation): boolean {
  const numbers = (e: Evaluation): number[] =>
    Object.values(e.gradients ?? {}).flatMap((tensor: Tensor) => Array.from(tensor.data));
  const other = numbers(b);
  return numbers(a).every((x, i) => x === other[i]);
}

function weightGradientShares(problem: Problem, side: Implementation): number[] {
  const budget = budgetFor(problem, precisionModelOf(side));
  const { gradients } = budget.evaluation;
  return (['kernel', 'recurrentKernel', 'outputKernel'] as const).flatMap((key) => {
    const largest = gradients?.[key]?.data.reduce((m, x) => Math.max(m, Math.abs(x)), 0) ?? 0;
    if (largest === 0) return [];
    return Array.from(budget.allowed(`gradients.${key}`, false), (e) => e / largest / 2 ** -23);
  });
}
