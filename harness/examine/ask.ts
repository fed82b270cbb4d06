import { MalformedAnswerError } from '../base/side-errors';
import { caseVerdict, type CaseVerdict, type TensorVerdict } from '../judge/index';
import { isLayered, type AnyProblem, type Evaluation, type Implementation } from '../base/problem';

/** What a side answered: the tensors that could be read, and why others could not. */
export interface Answer {
  readonly answer: Evaluation;
  /** dotted name to reason */ readonly malformed: ReadonlyMap<string, string>;
}

/** Runs a problem on a side. Tensors that cannot be read (ragged, text) are returned separately; any other error is thrown on. */
export async function ask(implementation: Implementation, problem: AnyProblem): Promise<Answer> {
  try {
    return { answer: await evaluate(implementation, problem), malformed: new Map() };
  } catch (error) {
    if (!(error instanceof MalformedAnswerError)) throw error;
    return { answer: error.readable, malformed: error.malformed };
  }
}

function evaluate(side: Implementation, problem: AnyProblem): Evaluation | Promise<Evaluation> {
  if (!isLayered(problem)) return side.evaluate(problem);
  const { layered } = side;
  const reason = layered === undefined ? 'it runs the simple RNN only' : layered.refuses?.(problem.model);
  if (layered === undefined || reason !== undefined)
    throw new Error(`${side.name} cannot run problem ${problem.id}: ${reason ?? ''}`);
  return layered.evaluate(problem);
}

/** A tensor that could not be read is reported with its reason instead of as missing; it fails in either case. */
export function withMalformed(verdict: CaseVerdict, malformed: ReadonlyMap<string, string>): CaseVerdict {
  if (malformed.size === 0) return verdict;
  const named = new Set<string>();
  const tensors = verdict.tensors.map((tensor): TensorVerdict => {
    const reason = malformed.get(tensor.tensor);
    if (reason === undefined) return tensor;
    named.add(tensor.tensor);
    return { ...tensor, status: 'shape', reason };
  });
  const { implementation, caseId } = verdict;
  const zero = { elements: 0, compared: 0, beyond: 0 };
  const others = [...malformed].filter(([name]) => !named.has(name));
  const added = others.map(([tensor, reason]): TensorVerdict => ({
    implementation,
    caseId,
    tensor,
    status: 'shape',
    reason,
    ...zero,
  }));
  return caseVerdict(caseId, implementation, verdict.against, [...added, ...tensors]);
}
