import { judgeEquations, problemForLocalJudgement, type JudgedEquation } from '../judge/index';
import { memoize, memoizeByNumber } from '../base/memoize';
import { sizesOf, type Implementation, type Problem } from '../base/problem';
import {
  firstExamples,
  timeBlocksProblem,
  timeBlockSizes,
  stepsInBlocks,
  type Ring,
} from '../problems/index';

/** The gradients that are sums over the time steps. */
export const sumNames = ['gradients.kernel', 'gradients.recurrentKernel', 'gradients.bias'] as const;
export type SumName = (typeof sumNames)[number];

/** Examples that run on a side as a ring; the sums of more are larger, not clearer. */
const mostExamples = 4;
/** Entries of a ring's recurrent kernel beyond which it is not worth its memory. */
const mostEntries = 4e6;

export type StepsOfSum =
  { readonly timeSteps: readonly number[]; readonly note?: string } | { readonly unseen: string };

/** The first examples as a ring of so many blocks; made once, and so is what rounding can do to it. */
const ringOf = memoize((problem: Problem) => {
  const few = firstExamples(problem, mostExamples);
  return memoizeByNumber((blocks) => timeBlocksProblem(few, blocks));
});

/**
 * The time steps whose share in a sum over time is wrong, of an opaque implementation: its shares are seen one block at a time
 * (`timeBlocksProblem`), and judged from its own values.
 */
export async function stepsOfSum(
  implementation: Implementation,
  problem: Problem,
  name: SumName,
): Promise<StepsOfSum> {
  const { timeSteps, units } = sizesOf(problem);
  if (timeSteps === 1) return { timeSteps: [0] };
  const rings: Ring[] = [];
  for (const blocks of timeBlockSizes(timeSteps)) {
    if ((blocks * units) ** 2 > mostEntries)
      return { unseen: `the steps of ${name}: a ring of ${blocks} x ${units} units is too large` };
    const ring = ringOf(problem)(blocks);
    let wrong: Set<number> | undefined;
    try {
      const answer = await implementation.evaluate(problemForLocalJudgement(ring));
      wrong = wrongBlocks(judgeEquations(ring, answer, implementation), name, units);
    } catch (error) {
      return { unseen: `the steps of ${name}: the ring was refused (${String(error)})` };
    }
    if (wrong === undefined)
      return {
        unseen: `the steps of ${name}: states or gradients.inputs are not given, so that the ring shows no sums`,
      };
    rings.push({ blocks, wrong });
  }
  const steps = stepsInBlocks(timeSteps, rings);
  if (steps.length === 0)
    return { unseen: `the steps of ${name}: the same sequence laid out as a ring shows no wrong share` };
  const ambiguous = rings.length > 1 && rings[0].wrong.size > 1 && steps.length < timeSteps;
  return {
    timeSteps: steps,
    ...(ambiguous && {
      note: `whether each of the ${steps.length} steps of ${name} is wrong, or only some of them`,
    }),
  };
}

/** Blocks (columns: those of dz_t) that hold a wrong element; undefined where the sum was not seen. */
function wrongBlocks(
  equations: readonly JudgedEquation[],
  name: SumName,
  units: number,
): Set<number> | undefined {
  const seen = equations.find(({ equation }) => equation.name === name);
  if (seen === undefined) return undefined;
  const { expected } = seen.equation;
  const columns = expected.shape[expected.shape.length - 1];
  return new Set(clearlyWrongElements(seen).map((i) => Math.floor((i % columns) / units)));
}

/** How much more than an honest run's budget an equation may be off that is right, in a run with a mistake: its numbers are others. */
const echo = 16;

/**
 * Every element of an equation that is beyond what it may be off; where some are far beyond it, those that hardly are do not count:
 * the budget is that of the right computation.
 */
export function clearlyWrongElements(judged: JudgedEquation): number[] {
  const clearly = wrongElements(judged, echo);
  return clearly.length > 0 ? clearly : wrongElements(judged);
}

/** Every element of an equation that is beyond so many times what it may be off. */
export function wrongElements({ equation, allowed }: JudgedEquation, slack = 1): number[] {
  const { expected, given } = equation;
  return [...expected.data.keys()].filter((i) => {
    const x = expected.data[i];
    return given.data[i] !== x && !(Math.abs(given.data[i] - x) <= slack * allowed[i]);
  });
}
