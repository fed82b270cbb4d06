import { problemIdOf } from '../../examine/index';
import { isFailing, type CaseVerdict, type TensorStatus, type TensorVerdict } from '../../judge/index';
import { percent } from '../../reports/index';

/** How bad a verdict is: NaN, infinities and what is missing come first, then the largest share of the tolerance. */
export function badness({ status, worst }: TensorVerdict): number {
  if (status === 'nan' || status === 'infinity') return Number.MAX_VALUE;
  if (worst === undefined) return status === 'pass' || status === 'zero' ? -1 : Number.MAX_VALUE / 2;
  return Number.isNaN(worst.usedShare) ? Number.MAX_VALUE : Math.min(worst.usedShare, Number.MAX_VALUE / 4);
}

export function worstFirst(verdicts: readonly TensorVerdict[]): TensorVerdict[] {
  return [...verdicts].sort((one, other) => badness(other) - badness(one));
}

/** A case that failed, with its failing tensors, the worst in front. */
export interface FailingCase {
  readonly implementation: string;
  readonly caseId: string;
  readonly failing: readonly TensorVerdict[];
  /** why it failed although no tensor does: its ledger does not add up */ readonly ledger?: string;
}

/** The cases that failed, worst first. */
export function failingCases(cases: readonly CaseVerdict[]): FailingCase[] {
  return cases
    .filter(({ status }) => status === 'fail')
    .map(({ implementation, caseId, tensors, ledger: { expected, compared, omitted } }) => {
      const failing = worstFirst(tensors.filter(isFailing));
      const ledger = `${expected} numbers were expected, but ${compared} compared and ${omitted} omitted`;
      return { implementation, caseId, failing, ...(failing.length === 0 && { ledger }) };
    })
    .sort((one, other) => badnessOf(other) - badnessOf(one));
}

function badnessOf({ failing: [worst] }: FailingCase): number {
  return (worst as TensorVerdict | undefined) === undefined ? Number.MAX_VALUE / 2 : badness(worst);
}

/** The same with all views of one problem (results, steps, weight probe) together, under the problem's id. */
export function failingProblems(cases: readonly CaseVerdict[]): FailingCase[] {
  const together = new Map<string, FailingCase>();
  for (const one of failingCases(cases)) {
    const caseId = problemIdOf(one.caseId);
    const key = JSON.stringify([one.implementation, caseId]);
    const before = together.get(key);
    together.set(
      key,
      before === undefined ? { ...one, caseId } : { ...before, failing: [...before.failing, ...one.failing] },
    );
  }
  return [...together.values()].map((one) => ({ ...one, failing: worstFirst(one.failing) }));
}

/** The tensor's name, and the view in which it fails where that is not the plain problem: `states, step by step`. */
export function labelOf({ tensor, caseId }: TensorVerdict): string {
  return `${tensor}${caseId.slice(problemIdOf(caseId).length)}`;
}

const statusWords: Readonly<Partial<Record<TensorStatus, string>>> = {
  nan: 'NaN',
  infinity: 'infinite',
  shape: 'wrong shape',
  nothing: 'empty',
  extra: 'not asked for',
  ill: 'ill-conditioned',
};

/** How much of its budget a tensor used, or what is wrong with it: `98 %`, `3.2 times`, `NaN`, `missing`. */
export function usedInWords({ status, worst }: TensorVerdict): string {
  const isMeasured = worst !== undefined && (status === 'pass' || status === 'zero' || status === 'differs');
  if (!isMeasured || Number.isNaN(worst.usedShare)) return statusWords[status] ?? status;
  return status === 'differs' && worst.usedShare <= 1 ? 'too far on average' : percent(worst.usedShare);
}
