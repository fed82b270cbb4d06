import type { ParityReport } from './report';
import { auditPart, errorPart, notePart, unshownPart, warningPart } from './text/errors';
import { failurePart } from './text/failures';
import { fit, indentedLine } from '../reports/index';
import { sidePart } from './text/sides';
import { formatVerdict } from './text/verdict-line';

/** A report has at most so many lines, its verdict not counted. */
export const mostLines = 40;

/**
 * The report as text for people: at most 40 lines (what the input cannot show, what each side compared, what went wrong, worst first; what has no room is
 * counted), then the verdict in one line of at most 120 characters.
 */
export function formatSummary(report: ParityReport): string {
  const sides = sidePart(report);
  const [warnings, notes] = [warningPart(report), notePart(report)];
  const [errors, failures] = [errorPart(report), failurePart(report)];
  const [audit, unshown] = [auditPart(report), unshownPart(report)];
  const shown = [warnings, sides, failures, errors, audit, unshown, notes];
  const urgent = [errors, failures, audit, unshown, warnings, notes, sides];
  return [...fit(shown, urgent, mostLines).map(indentedLine), formatVerdict(report)].join('\n');
}
