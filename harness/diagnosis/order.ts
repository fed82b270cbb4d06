import { partOf, partsOf, tensorOf, type AnyProblem, type Phase } from '../base/problem';
import type { Examination } from '../examine/index';
import { isFailing, type TensorVerdict } from '../judge/index';
import { workOf } from '../problems/index';
import { sizesByLetter, sketchOf } from './in-common';
import { whereIn } from './locate';

const phases: readonly Phase[] = ['forward', 'loss', 'backward', 'update'];
/** Errors from so many budgets on are clear: what is nearer may fail only because of something else. */
const clear = 2;
/** Logits further apart leave probabilities that a float32 number holds badly. */
const farApart = 30;
/** Inputs, weights and states beyond it are no everyday numbers. */
const large = 100;
/** Multiplications of one forward pass. */
const muchWork = 50_000;

/**
 * Failed problems in the order in which they are worth a diagnosis: ordinary problems of middle size before degenerate ones (a size of
 * 1, where many mistakes look alike) and these before extreme ones (huge numbers, logits far apart); of these, the earliest phase
 * that clearly fails; then the clearest error, then the smaller problem. Of problems that fail first in the same tensor one comes
 * before the others, so that two mistakes are both looked at.
 */
export function diagnosisOrder(failed: readonly Examination<AnyProblem>[]): Examination<AnyProblem>[] {
  const ranked = failed
    .map((examination) => ({ examination, ...standing(examination) }))
    .sort((a, b) => a.oddity - b.oddity || a.phase - b.phase || b.share - a.share || a.work - b.work);
  const seen = new Set<string>();
  const first = ranked.filter(({ phase, tensor }) => {
    const place = `${phase} ${tensor}`;
    return seen.size < seen.add(place).size;
  });
  return [...first, ...ranked.filter((one) => !first.includes(one))].map(({ examination }) => examination);
}

interface Standing {
  readonly oddity: number;
  readonly phase: number;
  readonly tensor: string;
  readonly share: number;
  readonly work: number;
}

function standing(examination: Examination<AnyProblem>): Standing {
  const phaseOf = (tensor: string): number => phases.indexOf(whereIn(examination.problem, tensor).phase);
  const failing = examination.verdicts.flatMap(({ tensors }) => tensors.filter(isFailing));
  const clearly = failing.filter((verdict) => shareOf(verdict) >= clear);
  const counted = clearly.length > 0 ? clearly : failing;
  const phase = Math.min(...counted.map(({ tensor }) => phaseOf(tensor)));
  const tensor = counted.find((verdict) => phaseOf(verdict.tensor) === phase)?.tensor ?? '';
  // beyond a hundred budgets an error is as clear as can be
  const share = Math.min(100, Math.max(...failing.map(shareOf)));
  return { oddity: oddityOf(examination), phase, tensor, share, work: workOf(examination.problem) };
}

function shareOf({ worst }: TensorVerdict): number {
  const share = worst?.usedShare ?? Infinity;
  return Number.isNaN(share) ? Infinity : share;
}

/** 0 for an ordinary problem, 1 for a size of 1, many steps or much work, 2 for extreme numbers. */
export function oddityOf({
  problem,
  reference,
}: Pick<Examination<AnyProblem>, 'problem' | 'reference'>): 0 | 1 | 2 {
  if (hasExtremeNumbers(problem, reference)) return 2;
  const degenerate = Object.values(sizesByLetter(sketchOf(problem))).includes(1);
  return degenerate || workOf(problem) > muchWork ? 1 : 0;
}

function hasExtremeNumbers(problem: AnyProblem, reference: Examination['reference']): boolean {
  const beyond = (x: number): boolean => !(Math.abs(x) <= large);
  if (partsOf(problem).some((name) => partOf(problem, name)?.data.some(beyond) === true)) return true;
  const logits = tensorOf(reference, 'logits');
  if (logits === undefined) return false;
  const classes = logits.shape[logits.shape.length - 1];
  for (let row = 0; row < logits.data.length; row += classes) {
    const own = logits.data.subarray(row, row + classes);
    if (!(Math.max(...own) - Math.min(...own) <= farApart)) return true;
  }
  return false;
}
