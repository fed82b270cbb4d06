import { isIn } from '../base/problem';
import { problemIdOf } from '../examine/index';
import { caseVerdict, isGreen, judgeElement, type CaseVerdict, type TensorVerdict } from '../judge/index';
import { conclude } from './conclude';
import { keyOf, placeOf, type ParityReport } from './report';

/**
 * Derives everything in a report that follows from something else in it: the status of a tensor from its numbers, the status of a case from
 * its tensors, the ledger, the verdict and the exit code. A report as a run wrote it passes; a report that was edited later, or lost a part, does not.
 *
 * @returns one line for each contradiction
 */
export function auditReport(report: ParityReport): string[] {
  const concluded = conclude(report);
  return [
    ...concluded.audit
      .filter((fault) => !report.audit.includes(fault))
      .map((fault) => `not accounted for: ${fault}`),
    ...unplanned(report),
    ...report.cases.flatMap((verdict) => auditCase(verdict, report)),
    ...differences('the run', report, concluded, ['verdict', 'exitCode', 'unshown', 'audit']),
  ];
}

/** Everything that occurs twice, or belongs to no side or plan of the report. */
function unplanned({ sides, plan, cases, errors, complete, only, vectors }: ParityReport): string[] {
  const ran = new Set(sides.filter(({ status }) => status === 'ran').map(({ name }) => name));
  const homeless = [...plan, ...cases, ...errors].filter(({ implementation }) => !ran.has(implementation));
  const planned = new Map(plan.map((one) => [keyOf(one), one.tensors]));
  const extra = cases.flatMap((verdict) => {
    const tensors = planned.get(keyOf(verdict));
    if (tensors === undefined) return [`${placeOf(verdict)}: judged, but not planned`];
    return verdict.tensors
      .filter(({ tensor, status }) => status !== 'extra' && !Object.hasOwn(tensors, tensor))
      .map(({ tensor }) => `${placeOf(verdict)}: ${tensor} was not planned`);
  });
  return [
    ...repeated(sides.map(({ name }) => name)).map((name) => `the side ${name} is listed twice`),
    ...repeated(plan.map(placeOf)).map((place) => `${place}: planned twice`),
    ...repeated(cases.map(placeOf)).map((place) => `${place}: judged twice`),
    ...[...new Set(homeless.map(({ implementation }) => implementation))].map(
      (name) => `${name} has cases, but is not among the sides that ran`,
    ),
    ...extra,
    ...(complete && (only !== null || vectors !== undefined)
      ? ['complete is true, although only a part of the suite was selected']
      : []),
  ];
}

function auditCase(verdict: CaseVerdict, report: ParityReport): string[] {
  const { caseId, implementation, against, tensors } = verdict;
  const place = placeOf(verdict);
  const again = caseVerdict(caseId, implementation, against, tensors);
  return [
    ...repeated(tensors.map(({ tensor }) => tensor)).map((tensor) => `${place}: ${tensor} is judged twice`),
    ...differences(place, verdict, again, ['status', 'ledger']),
    ...tensors.flatMap((tensor) => auditTensor(tensor, verdict, report).map((fault) => `${place}: ${fault}`)),
  ];
}

/** Whether a verdict follows from its worst element. */
function auditTensor(tensor: TensorVerdict, verdict: CaseVerdict, report: ParityReport): string[] {
  const { tensor: name, status, compared, beyond, elements, worst } = tensor;
  const faults =
    tensor.implementation === verdict.implementation && tensor.caseId === verdict.caseId
      ? []
      : [`${name} is the verdict of ${placeOf(tensor)}`];
  if (beyond > compared || compared > elements)
    faults.push(
      `${name}: ${beyond} elements beyond their tolerance of ${compared} compared of ${elements} is impossible`,
    );
  if (status === 'omitted') {
    if (compared > 0 || worst !== undefined) faults.push(`${name} is omitted, although it was compared`);
    const { omits = [] } = report.sides.find((side) => side.name === tensor.implementation) ?? {};
    const isOfResults = problemIdOf(tensor.caseId) === tensor.caseId;
    if (isOfResults && !isIn(name, omits))
      faults.push(`${name} is omitted, although ${tensor.implementation} did not declare it`);
    return faults;
  }
  if (worst === undefined) {
    if (isGreen(tensor) || status === 'ill' || status === 'differs')
      faults.push(`${name} has the status ${status}, but no number that shows it`);
    return faults;
  }
  const own = judgeElement(worst.reference, worst.given, worst.allowed);
  if (!Object.is(own.error, worst.error) || !Object.is(own.usedShare, worst.usedShare))
    faults.push(
      `${name}: ${worst.given} against ${worst.reference} with ${worst.allowed} allowed is an error of ${own.error} and a share of ${own.usedShare}, not ${worst.error} and ${worst.usedShare}`,
    );
  if ((own.status === 'pass') !== (beyond === 0))
    faults.push(
      `${name}: ${beyond} elements are beyond the tolerance, but the worst has the status ${own.status}`,
    );
  const believed = own.status === 'pass' || status === own.status || isResolved(tensor, verdict, report);
  if (!believed)
    faults.push(`${name} has the status ${status}, but its numbers have the status ${own.status}`);
  return faults;
}

/** An ill-conditioned tensor, beyond its budget, whose equations all hold step by step. */
function isResolved(
  { status, reason = '' }: TensorVerdict,
  { caseId }: CaseVerdict,
  report: ParityReport,
): boolean {
  if (!reason.startsWith('ill-conditioned')) return false;
  if (status === 'ill') return true;
  const steps = report.cases.find((one) => one.caseId === `${problemIdOf(caseId)}, step by step`);
  return status === 'pass' && steps !== undefined && steps.status !== 'fail';
}

/** Fields that say something else than what was derived. */
function differences<T extends object>(
  place: string,
  given: T,
  derived: T,
  fields: readonly (keyof T & string)[],
): string[] {
  return fields.flatMap((field) => {
    const [one, other] = [given, derived].map((from) => JSON.stringify(from[field]));
    return one === other ? [] : [`${place}: ${field} is ${one}, but ${other} follows from the numbers`];
  });
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(names.filter((name) => seen.size === seen.add(name).size))];
}
