import type { AnyProblem } from '../base/problem';
import { madeBy } from './local-ledger';
import { formatPlace, caseVerdict, type CaseVerdict, type TensorVerdict } from './verdict';

/**
 * Settles an ill-conditioned verdict by the local judgement (`judgeLocally`) of the same problem and side. For each
 * ill-conditioned tensor those equations count that it is made by:
 * all right: the side computes the right function, so the tensor passes;
 * one wrong: the tensor differs, and the reason names the step;
 * one that is ill-conditioned itself or could not be seen: the verdict stays as it is.
 */
export function resolveIllConditioned(
  problem: AnyProblem,
  verdict: CaseVerdict,
  local: readonly TensorVerdict[],
): CaseVerdict {
  if (!verdict.tensors.some(({ status }) => status === 'ill')) return verdict;
  const equations = new Map(local.map((one) => [one.tensor, one]));
  const settled = (tensor: TensorVerdict): TensorVerdict => {
    const made = madeBy(problem, tensor.tensor).map((name) => equations.get(name));
    const wrong = made.find(
      (one) => one !== undefined && !['pass', 'zero', 'ill', 'omitted'].includes(one.status),
    );
    const ill = tensor.reason ?? 'ill-conditioned';
    if (wrong !== undefined) {
      const reason = `${ill}; judged step by step: ${wrong.tensor} is wrong ${place(wrong)}`;
      return { ...tensor, status: 'differs', reason };
    }
    if (made.some(isOpen)) return tensor;
    return {
      ...tensor,
      status: 'pass',
      reason: `${ill}; settled step by step: every equation it is made by holds within its own budget`,
    };
  };
  const tensors = verdict.tensors.map((tensor) => (tensor.status === 'ill' ? settled(tensor) : tensor));
  return caseVerdict(verdict.caseId, verdict.implementation, verdict.against, tensors);
}

/** Undecided; logits that are not given are computed from the final state, so that nothing is missing without them. */
function isOpen(one: TensorVerdict | undefined): boolean {
  if (one === undefined || one.status === 'ill') return true;
  return one.status === 'omitted' && one.tensor !== 'logits';
}

function place({ worst, reason }: TensorVerdict): string {
  if (worst === undefined) return `(${reason ?? 'throughout'})`;
  const at = formatPlace(worst.at);
  return `${at === '' ? '' : `at ${at}: `}${worst.given} where its own earlier values give ${worst.reference}`;
}
