import type { TensorVerdict } from '../judge/index';
import { exitCodes } from '../base/outcome';
import { keyOf, placeOf, reportFormat, type ParityReport, type Unshown } from './report';

/** What a run collected; the conclusion is drawn from it alone. */
export type Findings = Omit<ParityReport, 'format' | 'unshown' | 'audit' | 'verdict' | 'exitCode'>;

/**
 * Draws the conclusion: an error outranks a mismatch, and that a required side that did not run. A run that compared nothing is an error:
 * no two numbers of it differ.
 * Nothing is believed that the ledger does not show: every planned element must be compared or declared omitted.
 */
export function conclude(findings: Findings): ParityReport {
  const unshown = unshownTensors(findings);
  const [ledger, empty] = [auditLedger(findings), auditSides(findings)];
  const audit = [...ledger, ...empty];
  const fails =
    ledger.length > 0 ||
    findings.cases.some((verdict) => verdict.status === 'fail') ||
    (findings.complete && unshown.length > 0);
  const notRun = findings.sides.some((side) => side.required && side.status === 'not run');
  const verdict =
    findings.errors.length > 0
      ? 'error'
      : fails
        ? 'mismatch'
        : notRun
          ? 'backend not run'
          : empty.length > 0
            ? 'error'
            : 'parity';
  return { format: reportFormat, ...findings, unshown, audit, verdict, exitCode: exitCodeOf[verdict] };
}

const exitCodeOf = {
  parity: exitCodes.parity,
  mismatch: exitCodes.mismatch,
  error: exitCodes.usage,
  'backend not run': exitCodes.backendNotRun,
} as const;

/**
 * Holds the verdicts against the plan.
 *
 * @returns one line for each thing that is planned but not accounted for; empty when all is well
 */
export function auditLedger({ plan, cases, errors }: Findings): string[] {
  const faults: string[] = [];
  const verdicts = new Map(cases.map((one) => [keyOf(one), one]));
  const stopped = new Set(errors.map(({ implementation }) => implementation));
  for (const planned of plan) {
    const { implementation, tensors } = planned;
    const where = placeOf(planned);
    const verdict = verdicts.get(keyOf(planned));
    if (verdict === undefined) {
      // an error is reported as such; it also explains why later cases of a side that was stopped have no verdict
      if (!stopped.has(implementation)) faults.push(`${where}: planned, but there is no verdict`);
      continue;
    }
    const found = new Map(verdict.tensors.map((t) => [t.tensor, t]));
    for (const [name, elements] of Object.entries(tensors)) {
      const fault = auditTensor(found.get(name), elements);
      if (fault !== undefined) faults.push(`${where}: ${name} ${fault}`);
    }
    if (Object.keys(tensors).length === 0) faults.push(`${where}: nothing is planned to be compared`);
  }
  return faults;
}

/** What compared nothing that could have shown a fault, one line each: a side, or the whole run. */
function auditSides({ cases, errors, sides }: Findings): string[] {
  const faults: string[] = [];
  const stopped = new Set(errors.map(({ implementation }) => implementation));
  for (const side of sides) {
    if (side.status !== 'ran' || stopped.has(side.name)) continue;
    const own = cases.filter((verdict) => verdict.implementation === side.name);
    const shown = own.some((verdict) => verdict.tensors.some((t) => t.status === 'pass' && t.compared > 0));
    const fails = own.some((verdict) => verdict.status === 'fail');
    if (!shown && !fails)
      faults.push(
        `${side.name}: nothing was compared that could have shown a fault: ${own.length === 0 ? 'no problem was run on it' : 'every tensor is 0, ill-conditioned or omitted'}`,
      );
  }
  // A required side that did not run is its own verdict; without one, a run of no side is a fault.
  const excused = sides.some((side) => side.status === 'ran' || side.required);
  if (!excused) faults.push('no side ran: nothing was compared');
  return faults;
}

function auditTensor(verdict: TensorVerdict | undefined, elements: number): string | undefined {
  if (verdict === undefined) return `(${elements} elements) is planned, but the report does not hold it`;
  if (verdict.elements !== elements)
    return `has ${elements} elements, but its verdict accounts for ${verdict.elements}`;
  const passes = ['pass', 'zero', 'ill'].includes(verdict.status);
  if (passes && verdict.compared !== elements)
    return `has ${elements} elements, but ${verdict.compared} were compared`;
  return undefined;
}

/** Tensors of each side that neither pass nor fail anywhere: in every case they are ill-conditioned or vanish. */
function unshownTensors({ cases }: Findings): Unshown[] {
  const judged = cases.flatMap(({ tensors }) => tensors).filter(({ status }) => status !== 'omitted');
  const keyOfTensor = ({ implementation, tensor }: Unshown): string =>
    JSON.stringify([implementation, tensor]);
  const shown = new Set(
    judged.filter(({ status }) => status !== 'ill' && status !== 'zero').map(keyOfTensor),
  );
  const unshown = judged
    .map(({ implementation, tensor }) => ({ implementation, tensor }))
    .filter((one) => !shown.has(keyOfTensor(one)));
  return [...new Map(unshown.map((one) => [keyOfTensor(one), one])).values()];
}
