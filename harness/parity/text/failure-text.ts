import type { ParityReport } from '../report';
import { auditPart, errorPart, notePart, unshownPart, warningPart } from './errors';
import { diagnosisFor, failurePart } from './failures';
import { fit, indentedLine } from '../../reports/index';
import { redProblems } from './red';
import { formatVerdict } from './verdict-line';

const mostLines = 40;

/** Verdict in front, then at most 40 lines of what is wrong: the message of a failed assertion. */
export function formatFailure(report: ParityReport): string {
  const parts = [
    failurePart(report, { command: false }),
    errorPart(report),
    auditPart(report),
    unshownPart(report),
    warningPart(report),
    notePart(report),
  ];
  const unshown = report.verdict === 'parity' && report.unshown.length > 0;
  const verdict = unshown
    ? 'NOT SHOWN: nothing is wrong, but not every tensor had to prove itself'
    : formatVerdict(report);
  return [verdict, ...fit(parts, parts, mostLines).map(indentedLine)].join('\n');
}

/** The worst number of a report on both sides; absent where no numbers stand against each other. */
export function worstNumbers(
  report: ParityReport,
): { readonly given: number; readonly expected: number } | undefined {
  for (const red of redProblems(report.cases)) {
    const diagnosed = diagnosisFor(red, report.diagnoses)?.worst;
    if (diagnosed !== undefined) return { given: diagnosed.given, expected: diagnosed.expected };
    const worst = red.red.find((tensor) => tensor.worst !== undefined)?.worst;
    if (worst !== undefined) return { given: worst.given, expected: worst.reference };
  }
  return undefined;
}
