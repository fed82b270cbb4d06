import { asError, isFatal, ProblemRefusedError, UnansweredError } from '../base/side-errors';
import { wordOf } from '../base/model';
import { isLayered, type AnyProblem, type Phase, type Implementation } from '../base/problem';
import { examine, type Examination, type ViewName } from '../examine/index';
import { locateAndName, whereIn } from '../diagnosis/index';
import { isFailing, type CaseVerdict, type Place, type TensorStatus } from '../judge/index';

/** One failing tensor of one view, with all that identifies its verdict. NaN and infinities are strings, because JSON cannot hold them. */
export interface FailingTensor {
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
  readonly failing: readonly FailingTensor[];
}

/** A verdict and the examination that it follows from. */
export interface Finding {
  readonly verdict: PutVerdict;
  /** absent when the side threw */ readonly examination?: Examination<AnyProblem>;
  /** numbers that were compared */ readonly compared: number;
  /** the side can answer no further problem */ readonly fatal: boolean;
  /** what the side does not have, so that the problem did not run */ readonly refused?: string;
  /** it took too long, so that it is not simplified: every problem may take as long */ readonly unanswered?: boolean;
}

/**
 * Runs a problem on a side in every view (`examine`); an error that the side throws is a finding as well.
 *
 * @param mayRefuse whether the side may refuse a view, because it may be of fixed sizes: a candidate
 */
export async function put(
  implementation: Implementation,
  problem: AnyProblem,
  mayRefuse = true,
): Promise<Finding> {
  try {
    const examination = await examine(implementation, problem);
    const refusal = examination.refusals.find(({ error }) => !(error instanceof ProblemRefusedError));
    if (refusal !== undefined && !mayRefuse) throw refusal.error;
    const compared = examination.verdicts.reduce((sum, { ledger }) => sum + ledger.compared, 0);
    return { verdict: verdictOf(examination), examination, compared, fatal: false };
  } catch (error) {
    const { message } = asError(error);
    const verdict = { status: 'error', error: message, failing: [] } as const;
    return {
      ...{ verdict, compared: 0, fatal: isFatal(error) },
      ...(error instanceof ProblemRefusedError && { refused: message }),
      ...(error instanceof UnansweredError && { unanswered: true }),
    };
  }
}

/** The finding with the fault class in its verdict, where a fault of the catalogue explains it (`faultClassOf`). */
export async function withFaultClass(implementation: Implementation, finding: Finding): Promise<Finding> {
  const { examination, verdict } = finding;
  if (verdict.status !== 'fail' || examination?.results === undefined) return finding;
  try {
    const { kind } = await locateAndName(implementation, examination);
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
export function signatureOf(
  { status, phase, tensor = '', error, failing }: PutVerdict,
  problem: AnyProblem,
): string | undefined {
  if (status === 'fail') {
    const view = failing.some((item) => item.view === 'results') ? 'results' : failing[0].view;
    return `${phase ?? ''}: ${whicheverLayer(problem, tensor)} (${view})`;
  }
  return status === 'error' ? `error: ${(error ?? '').replace(/[\d.]+/g, '#').slice(0, 200)}` : undefined;
}

/** A name without the number and the direction of its layer: `lstm.dz[f]` of `layer2Forward.dz[f]`. A simpler network has other layers. */
export function whicheverLayer(problem: AnyProblem, name: string): string {
  if (!isLayered(problem)) return name;
  return name
    .replace(/\blayer(\d+)(?:Forward|Backward)?/g, (whole, number: string) => {
      const layer = problem.model.layers.at(Number(number) - 1);
      if (layer === undefined) return whole;
      return 'wrapped' in layer ? layer.wrapped.layer : wordOf(layer);
    })
    .replace(/\.(?:forward|backward)([A-Z])/g, (_, first: string) => `.${first.toLowerCase()}`);
}

function verdictOf({ status, problem, results, steps, probe }: Examination<AnyProblem>): PutVerdict {
  return verdictOfViews(problem, status, {
    results: results?.verdict,
    steps: steps?.verdict,
    probe: probe?.verdict,
  });
}

/** The verdict on a problem that follows from those on its views. */
export function verdictOfViews(
  problem: AnyProblem,
  status: 'pass' | 'ill' | 'fail',
  views: Partial<Record<ViewName, CaseVerdict | undefined>>,
): PutVerdict {
  const failing = (['steps', 'results', 'probe'] as const).flatMap((view) =>
    failingTensors(problem, view, views[view]),
  );
  // single equations come first: a tensor that only inherits an error is right there
  const [first] = failing as readonly (FailingTensor | undefined)[];
  if (status !== 'fail' || first === undefined) return { status, failing };
  return { status, phase: whereIn(problem, first.tensor).phase, tensor: first.tensor, failing };
}

function failingTensors(
  problem: AnyProblem,
  view: ViewName,
  verdict: CaseVerdict | undefined,
): FailingTensor[] {
  const rankOf = (tensor: string): number => whereIn(problem, tensor).rank;
  return (verdict?.tensors ?? [])
    .filter(isFailing)
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
