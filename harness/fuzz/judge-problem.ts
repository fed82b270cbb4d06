import { CandidateError } from '../base/side-errors';
import type { Phase, Implementation, Problem } from '../base/problem';
import { examine, type Examination, type ViewName } from '../examine/index';
import { kindOf, phaseOf } from '../diagnosis/index';
import { isGreen, rankOf, type CaseVerdict, type Place, type TensorStatus } from '../judge/index';

/** One failing tensor of one view, with all that identifies its verdict. NaN and infinities are strings, because JSON cannot hold them. */
export interface RedTensor {
  readonly view: ViewName;
  readonly tensor: string;
  readonly status: TensorStatus;
  readonly reason?: string;
  /** `{ example: 0, timeStep: 3, unit: 1 }`, counted from 0 */ readonly at?: Place;
  /** the value of the reference, or what follows from the side's own earlier values (`steps`) */ readonly expected?:
    number | string;
  readonly given?: number | string;
  readonly allowed?: number | string;
  /** number of elements beyond their tolerance */ readonly beyond: number;
  readonly elements: number;
}

/** The verdict on one problem that was run on one side: plain data, so that it can be saved and compared. */
export interface PutVerdict {
  /** `error`: the side threw or ended */ readonly status: 'pass' | 'ill' | 'fail' | 'error';
  /** phase of the first failing tensor in the order of the computation */ readonly phase?: Phase;
  readonly tensor?: string;
  /** names of the faults of the catalogue that explain it, where any does */ readonly kind?: readonly string[];
  /** what the side threw */ readonly error?: string;
  readonly red: readonly RedTensor[];
}

/** A verdict and the examination that it follows from. */
export interface Finding {
  readonly verdict: PutVerdict;
  /** absent when the side threw */ readonly examination?: Examination;
  /** numbers that were compared */ readonly compared: number;
  /** the side can answer no further problem */ readonly fatal: boolean;
}

/** Runs a problem on a side in every view (`examine`); an error that the side throws is a finding as well. */
export async function put(implementation: Implementation, problem: Problem): Promise<Finding> {
  try {
    const examination = await examine(implementation, problem);
    const compared = examination.verdicts.reduce((sum, { ledger }) => sum + ledger.compared, 0);
    return { verdict: verdictOf(examination), examination, compared, fatal: false };
  } catch (error) {
    const fatal = error instanceof CandidateError && error.fatal;
    const message = error instanceof Error ? error.message : String(error);
    return { verdict: { status: 'error', error: message, red: [] }, compared: 0, fatal };
  }
}

/** The finding with the fault class in its verdict, where a fault of the catalogue explains it (`kindOf`). */
export async function withKind(implementation: Implementation, finding: Finding): Promise<Finding> {
  const { examination, verdict } = finding;
  if (verdict.status !== 'fail' || examination?.results === undefined) return finding;
  const { problem, answer } = examination.results;
  try {
    const kind = await kindOf(problem, answer, implementation, {
      ask: (other) => implementation.evaluate(other),
    });
    return kind === undefined ? finding : { ...finding, verdict: { ...verdict, kind: kind.names } };
  } catch {
    // no fault class for a side that refuses the further problems
    return finding;
  }
}

/**
 * What must stay the same while a failure is simplified, besides the fault class: the phase, the tensor, and whether the results show it; for an
 * error the message without its numbers. Undefined for a problem that the side answers correctly.
 */
export function signatureOf({ status, phase, tensor, error, red }: PutVerdict): string | undefined {
  if (status === 'fail') {
    const view = red.some((item) => item.view === 'results') ? 'results' : red[0].view;
    return `${phase ?? ''}: ${tensor ?? ''} (${view})`;
  }
  return status === 'error' ? `error: ${(error ?? '').replace(/[\d.]+/g, '#').slice(0, 200)}` : undefined;
}

function verdictOf({ status, results, steps, probe }: Examination): PutVerdict {
  const views = { steps, results, probe };
  const red = (['steps', 'results', 'probe'] as const).flatMap((view) =>
    redTensors(view, views[view]?.verdict),
  );
  if (status !== 'fail') return { status, red };
  // single equations come first: a tensor that only inherits an error is right there
  const [first] = red;
  return { status, phase: phaseOf(first.tensor), tensor: first.tensor, red };
}

function redTensors(view: ViewName, verdict: CaseVerdict | undefined): RedTensor[] {
  return (verdict?.tensors ?? [])
    .filter((tensor) => !isGreen(tensor) && tensor.status !== 'ill')
    .sort((one, other) => rankOf(one.tensor) - rankOf(other.tensor))
    .map(({ tensor, status, reason, worst, beyond, elements }) => ({
      view,
      tensor,
      status,
      ...(reason !== undefined && { reason }),
      ...(worst && {
        at: worst.at,
        expected: plainNumber(worst.reference),
        given: plainNumber(worst.given),
        allowed: plainNumber(worst.allowed),
      }),
      beyond,
      elements,
    }));
}

/** A number as JSON can hold it, to the last bit: NaN, infinities and -0 as strings. */
export function plainNumber(x: number): number | string {
  return Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? '-0' : String(x);
}
