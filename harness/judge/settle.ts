import { formatPlace, caseVerdict, type CaseVerdict, type TensorVerdict } from './verdict';

/**
 * Settles an ill-conditioned verdict by the local judgement (`judgeLocally`) of the same problem and side:
 * every single step right: the side computes the right function, so its ill-conditioned tensors pass;
 * a step wrong: they differ, and the reason names the step;
 * a step that is ill-conditioned itself: the verdict stays as it is.
 */
export function settleLocally(verdict: CaseVerdict, local: readonly TensorVerdict[]): CaseVerdict {
  if (verdict.status !== 'ill' || local.length === 0) return verdict;
  const wrong = local.find(({ status }) => !['pass', 'zero', 'ill'].includes(status));
  if (wrong === undefined && local.some(({ status }) => status === 'ill')) return verdict;
  const settled = (tensor: TensorVerdict): TensorVerdict =>
    wrong === undefined
      ? {
          ...tensor,
          status: 'pass',
          reason: `${tensor.reason ?? 'ill-conditioned'}; settled step by step: every equation holds within its own budget`,
        }
      : {
          ...tensor,
          status: 'differs',
          reason: `${tensor.reason ?? 'ill-conditioned'}; judged step by step: ${wrong.tensor} is wrong ${place(wrong)}`,
        };
  const tensors = verdict.tensors.map((tensor) => (tensor.status === 'ill' ? settled(tensor) : tensor));
  return caseVerdict(verdict.caseId, verdict.implementation, verdict.against, tensors);
}

function place({ worst }: TensorVerdict): string {
  if (worst === undefined) return 'throughout';
  const at = formatPlace(worst.at);
  return `${at === '' ? '' : `at ${at}: `}${worst.given} where its own earlier values give ${worst.reference}`;
}
