import { problemIdOf } from '../../examine/index';
import { isGreen, type CaseVerdict, type TensorVerdict } from '../../judge/index';

/** Whether a tensor's verdict is a mismatch: neither green nor ill-conditioned. */
export function isRed(verdict: TensorVerdict): boolean {
  return !isGreen(verdict) && verdict.status !== 'ill';
}

/** How bad a verdict is: NaN, infinities and what is missing come first, then the largest share of the tolerance. */
export function badness({ status, worst }: TensorVerdict): number {
  if (status === 'nan' || status === 'infinity') return Number.MAX_VALUE;
  if (worst === undefined) return status === 'pass' || status === 'zero' ? -1 : Number.MAX_VALUE / 2;
  return Number.isNaN(worst.usedShare) ? Number.MAX_VALUE : Math.min(worst.usedShare, Number.MAX_VALUE / 4);
}

export function worstFirst(verdicts: readonly TensorVerdict[]): TensorVerdict[] {
  return [...verdicts].sort((one, other) => badness(other) - badness(one));
}

/** A case with its red tensors, the worst in front. */
export interface RedCase {
  readonly implementation: string;
  readonly caseId: string;
  readonly red: readonly TensorVerdict[];
  /** why it failed although no tensor is red: its ledger does not add up */ readonly ledger?: string;
}

/** The cases that failed, worst first. */
export function redCases(cases: readonly CaseVerdict[]): RedCase[] {
  return cases
    .filter(({ status }) => status === 'fail')
    .map(({ implementation, caseId, tensors, ledger: { expected, compared, omitted } }) => {
      const red = worstFirst(tensors.filter(isRed));
      const ledger = `${expected} numbers were expected, but ${compared} compared and ${omitted} omitted`;
      return { implementation, caseId, red, ...(red.length === 0 && { ledger }) };
    })
    .sort((one, other) => badnessOf(other) - badnessOf(one));
}

function badnessOf({ red: [worst] }: RedCase): number {
  return (worst as TensorVerdict | undefined) === undefined ? Number.MAX_VALUE / 2 : badness(worst);
}

/** The same with all ways in which one problem was put to a side (results, steps, weight probe) together, under the problem's id. */
export function redProblems(cases: readonly CaseVerdict[]): RedCase[] {
  const together = new Map<string, RedCase>();
  for (const one of redCases(cases)) {
    const caseId = problemIdOf(one.caseId);
    const key = JSON.stringify([one.implementation, caseId]);
    const before = together.get(key);
    together.set(
      key,
      before === undefined ? { ...one, caseId } : { ...before, red: [...before.red, ...one.red] },
    );
  }
  return [...together.values()].map((one) => ({ ...one, red: worstFirst(one.red) }));
}

/** The tensor's name, and in which way of asking it is red where that is not the plain problem: `states, step by step`. */
export function labelOf({ tensor, caseId }: TensorVerdict): string {
  return `${tensor}${caseId.slice(problemIdOf(caseId).length)}`;
}
