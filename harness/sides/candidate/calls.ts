import { formatShape, indexOf, toNested } from '../../../scratch/index';
import { fieldsOf, type AnyProblem } from '../../base/problem';
import { mostNumbersOf, readAnswer, type ReadAnswer } from './answer';
import type { AnyCandidate, Candidate, CandidateLayersProblem, CandidateProblem } from './define';

/** A problem as plain nested arrays, copied, so that a candidate cannot change what the reference sees. */
export function plainProblem(problem: AnyProblem): CandidateProblem | CandidateLayersProblem {
  const { labels } = problem;
  // toNested gives exactly the rank of its tensor; the ranks are those of the Problem.
  return {
    ...structuredClone(fieldsOf(problem, toNested)),
    ...(labels && { labels: [...labels] }),
  } as unknown as CandidateProblem;
}

/**
 * Calls a candidate, and sees what a comparison of numbers cannot: whether a call changed its problem, or the answer that the call before
 * it gave. Both are bugs that its callers would meet: a layer that overwrites its inputs, or answers that share one buffer. They are
 * reported as tensors that could not be read, `(problem)` and `(answer before)`.
 */
export class CandidateCalls {
  private before:
    { readonly tensors: ReadAnswer['tensors']; readonly readAgain: () => ReadAnswer } | undefined;

  constructor(private readonly candidate: AnyCandidate) {}

  /** @throws whatever the candidate throws */
  async evaluate(problem: CandidateProblem | CandidateLayersProblem): Promise<ReadAnswer> {
    const asked = structuredClone(problem);
    const answer: unknown = await (this.candidate as Candidate).evaluate(problem as CandidateProblem);
    const most = mostNumbersOf(asked);
    const readAgain = (): ReadAnswer => readAnswer(answer, most);
    const read = readAgain();
    const malformed = new Map(read.malformed);
    const change = changeOf(asked, problem);
    if (change !== undefined)
      malformed.set('(problem)', `was changed by evaluate: ${change}; copy what you change in place`);
    const overwritten = this.overwritten();
    if (overwritten !== undefined)
      malformed.set(
        '(answer before)',
        `was changed by the next call: ${overwritten}; the answers share a buffer, so give each its own`,
      );
    this.before = { tensors: read.tensors, readAgain };
    return { tensors: read.tensors, malformed };
  }

  /** What the last call changed in the answer of the call before it. */
  private overwritten(): string | undefined {
    if (this.before === undefined) return undefined;
    const now = this.before.readAgain().tensors;
    for (const [name, { data, shape }] of this.before.tensors) {
      const found = now.get(name)?.data;
      const at = data.findIndex((x, i) => !Object.is(x, found?.[i]));
      const place = at < 0 || shape.length === 0 ? '' : formatShape(indexOf(at, shape));
      if (at >= 0) return `${name}${place} was ${data[at]} and is ${String(found?.[at])}`;
    }
    return undefined;
  }
}

/** The first number of a problem that is another one afterwards; what was added does not count. */
function changeOf(before: unknown, after: unknown, path = 'problem'): string | undefined {
  if (typeof before !== 'object' || before === null)
    return Object.is(before, after) ? undefined : `${path} was ${String(before)} and is ${String(after)}`;
  for (const [key, value] of Object.entries(before)) {
    const found = (after as Record<string, unknown> | undefined)?.[key];
    const change = changeOf(value, found, Array.isArray(before) ? `${path}[${key}]` : `${path}.${key}`);
    if (change !== undefined) return change;
  }
  return undefined;
}
