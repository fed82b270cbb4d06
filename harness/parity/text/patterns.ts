import { inCommon, sizesByLetter } from '../../diagnosis/index';
import { problemIdOf } from '../../examine/index';
import { isFailing, type TensorVerdict } from '../../judge/index';
import type { ParityReport, PlannedCase } from '../report';
import { sizesIn } from './place';

type ProblemOf = NonNullable<PlannedCase['problem']>;

/** A coincidence is likely with fewer. */
const fewestFailing = 3;
const fewestPassing = 2;

/**
 * What the failing problems of a side have in common, and none (or few) of the others; none where nothing is seen.
 *
 * @param report what it says of this side
 * @param clue is said where no ratio is seen
 */
export function patternsOf(report: ParityReport, clue?: string): string[] {
  return [commonOf(report), ratioOf(report) ?? clue].filter((line) => line !== undefined);
}

function commonOf({ cases, plan }: ParityReport): string | undefined {
  const failed = cases.filter(({ status }) => status === 'fail');
  const viewOf = ({ caseId }: { readonly caseId: string }): string =>
    caseId.slice(problemIdOf(caseId).length);
  const views = new Set(failed.map(viewOf));
  // the weight probe has sizes of its own
  const view = ['', ', step by step', ', asked again'].find((one) => views.has(one));
  const failingIds = new Set(
    failed.filter((one) => viewOf(one) === view).map(({ caseId }) => problemIdOf(caseId)),
  );
  const problemsOf = (fails: boolean): ProblemOf[] =>
    plan.flatMap(({ caseId, problem }) => (failingIds.has(caseId) === fails ? (problem ?? []) : []));
  const parts = [commonTrait(problemsOf(true), problemsOf(false)), onlyView(views)];
  return parts.filter((part) => part !== undefined).join('; ') || undefined;
}

function onlyView(views: ReadonlySet<string>): string | undefined {
  if (views.size !== 1) return undefined;
  return {
    ', asked again':
      'right at first, another answer to the same question later: random, or a memory of earlier calls',
    ', weight probe': 'seen in the weight probe only: single weights are off by little',
    ', step by step': 'seen in single equations only: the results are within their budgets',
  }[[...views][0]];
}

function commonTrait(failing: readonly ProblemOf[], passing: readonly ProblemOf[]): string | undefined {
  if (failing.length > 1 && passing.length === 0) return `all ${failing.length} problems fail`;
  if (failing.length < fewestFailing || passing.length < fewestPassing) return undefined;
  const candidates = inCommon(failing, passing);
  const exact = candidates.find(({ others }) => others === 0);
  if (exact !== undefined)
    return `only problems with ${exact.words} fail: all ${failing.length} of them, and none of the ${passing.length} without`;
  const [best] = candidates.sort((one, other) => one.others - other.others);
  // as common among those that pass: it says nothing
  if ((best as unknown) === undefined || best.others > passing.length / 2) return undefined;
  return `only problems with ${best.words} fail: ${failing.length} of ${failing.length + best.others}`;
}

interface Ratio {
  readonly tensor: string;
  readonly ratio: number;
  readonly problem: ProblemOf | undefined;
}

/** Tensors that one factor may be in, from all to few. */
const groups: readonly (readonly [words: string, has: (tensor: string) => boolean])[] = [
  ['failing tensor', () => true],
  ['failing loss and gradient', (tensor) => tensor === 'loss' || tensor.startsWith('gradients.')],
  ['failing gradient', (tensor) => tensor.startsWith('gradients.')],
  ['failing gradient of a weight', (tensor) => /^gradients\.(?!inputs|initialState)/.test(tensor)],
];

/** Numbers that a factor is known by. */
const known: readonly (readonly [words: string, of: (p: ProblemOf | undefined) => number | undefined])[] = [
  ...(['B', 'T', 'F', 'U', 'C'] as const).flatMap((letter) => {
    const of = (p?: ProblemOf): number | undefined => p && sizesByLetter(p)[letter];
    return [
      [letter, of] as const,
      [`1/${letter}`, (p?: ProblemOf) => (of(p) === undefined ? undefined : 1 / of(p)!)] as const,
    ];
  }),
  ['1/ln 2, a logarithm to base 2', () => Math.LOG2E],
  ['-1, another sign', () => -1],
  ['0', () => 0],
];

/** A constant ratio of given to expected in the worst elements; undefined where the ratio varies. */
function ratioOf(report: ParityReport): string | undefined {
  const ratios = report.cases
    .filter(({ caseId }) => problemIdOf(caseId) === caseId)
    .flatMap(({ tensors }) => tensors.filter(isFailing))
    .flatMap((tensor): Ratio[] => ratioIn(tensor, report));
  const names = [...new Set(ratios.map(({ tensor }) => tensor))];
  const sets = [...groups, ...names.map((name) => [name, (tensor: string) => tensor === name] as const)];
  for (const [words, has] of sets) {
    const own = ratios.filter(({ tensor }) => has(tensor));
    const factor = own.length < fewestFailing ? undefined : factorOf(own);
    if (factor !== undefined)
      return `given / expected is ${factor} in the worst element of every ${words} (${own.length})`;
  }
  return undefined;
}

function ratioIn({ tensor, worst, implementation, caseId }: TensorVerdict, report: ParityReport): Ratio[] {
  if (worst === undefined || !(Math.abs(worst.reference) > 0) || !Number.isFinite(worst.given)) return [];
  const ratio = worst.given / worst.reference;
  return Number.isFinite(ratio) ? [{ tensor, ratio, problem: sizesIn(report, implementation, caseId) }] : [];
}

/** Within a fiftieth of its distance from 1, so that a factor of 1.000001 is one as well. */
function isNear(ratio: number, factor: number): boolean {
  return factor !== 1 && Math.abs(ratio - factor) <= Math.abs(factor - 1) / 50;
}

function factorOf(ratios: readonly Ratio[]): string | undefined {
  const name = known.find(([, of]) =>
    ratios.every(({ ratio, problem }) => {
      const factor = of(problem);
      return factor !== undefined && isNear(ratio, factor);
    }),
  )?.[0];
  const sorted = ratios.map(({ ratio }) => ratio).sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)];
  const isConstant = ratios.every(({ ratio }) => isNear(ratio, median));
  if (name !== undefined)
    return isConstant && /^(1\/)?[A-Z]$/.test(name) ? `${digits(median)} (= ${name})` : name;
  return isConstant ? digits(median) : undefined;
}

/** As many digits as tell it from 1. */
function digits(x: number): string {
  const beyondOne = Math.max(0, Math.ceil(-Math.log10(Math.abs(x - 1) || 1)));
  return String(Number(x.toPrecision(Math.min(15, 3 + beyondOne))));
}
