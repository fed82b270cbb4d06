import { checkOptions } from '../../../scratch/index';
import { count, fit, indentedLine, list, listed, oneLine, type Part } from '../../reports/index';
import { placeOf, type ParityReport } from '../report';
import { failingProblems } from './failing';
import { diagnosisFor, failurePart, firstDiagnosis } from './failures';
import { notRunLine, sideDetails, sidePart } from './sides';
import { formatVerdict } from './verdict-line';

/** A report has at most so many lines, its verdict not counted. */
const mostLines = 40;
/** The message of a failed assertion, its verdict included. */
const mostOfAssertion = 25;
const mostErrors = 8;

/**
 * The report as text for people: a table with a row a side, what fails, what the input cannot show, notes; then the verdict in one line of at
 * most 120 characters. At most 40 lines; `verbose` has no limit, and tells the worst place of every side and every failing problem.
 */
export function formatSummary(report: ParityReport, options: { readonly verbose?: boolean } = {}): string {
  checkOptions(options, { verbose: true }, 'formatSummary');
  const { verbose = false } = options;
  const most = (lines: number): number => (verbose ? Infinity : lines);
  const details: Part = list(verbose ? sideDetails(report) : [], Infinity);
  const [sides, failures] = [sidePart(report), failurePart(report, { verbose })];
  const errors = errorPart(report, verbose);
  const audit = said('not accounted for', report.audit, most(6));
  const unshown = unshownPart(report, most(4));
  const warnings = said('warning', report.warnings, most(6));
  const notes = said('note', report.notes, most(5));
  const shown = [warnings, sides, details, failures, errors, audit, unshown, notes];
  const urgent = [errors, failures, audit, unshown, warnings, notes, sides, details];
  return [...fit(shown, urgent, most(mostLines)).map(indentedLine), formatVerdict(report)].join('\n');
}

/** Verdict in front, then what is wrong, at most 25 lines in all: the message of a failed assertion. */
export function formatFailure(report: ParityReport): string {
  const parts = [
    list(
      report.sides.filter(({ status }) => status === 'not run').map((side) => notRunLine(side).trimStart()),
      4,
    ),
    failurePart(report, { command: false }),
    errorPart(report),
    said('not accounted for', report.audit, 6),
    unshownPart(report, 4),
    said('warning', report.warnings, 6),
    said('note', report.notes, 5),
  ];
  const unshown = report.verdict === 'parity' && report.unshown.length > 0;
  const verdict = unshown
    ? 'NOT SHOWN: nothing is wrong, but not every tensor had to prove itself'
    : formatVerdict(report);
  return [verdict, ...fit(parts, parts, mostOfAssertion - 1).map(indentedLine)].join('\n');
}

/** The worst number of a report on both sides; absent where no numbers were compared. */
export function worstNumbers(
  report: ParityReport,
): { readonly given: number; readonly expected: number } | undefined {
  for (const one of failingProblems(report.cases)) {
    const diagnosed = (firstDiagnosis(report, one.implementation) ?? diagnosisFor(one, report.diagnoses))
      ?.worst;
    if (diagnosed !== undefined) return { given: diagnosed.given, expected: diagnosed.expected };
    const worst = one.failing.find((tensor) => tensor.worst !== undefined)?.worst;
    if (worst !== undefined) return { given: worst.given, expected: worst.reference };
  }
  return undefined;
}

/** What sides threw: the first with its stack. */
function errorPart({ errors }: ParityReport, verbose = false): Part {
  const heads = errors.map((error) => `error: ${placeOf(error)}: ${oneLine(error.message)}`);
  if (heads.length === 0) return { least: 0, lines: () => [] };
  const [first, ...others] = heads;
  const most = verbose ? Infinity : mostErrors;
  const rest = list(others, most, (left) => `... and ${count(left, 'more error')} (--verbose shows them)`);
  return {
    least: 1 + rest.least,
    lines: (room) => {
      const free = Math.min(room, most) - 1 - rest.least;
      const stack = stackOf(errors[0].trace).slice(0, Math.max(0, free));
      return [first, ...stack, ...rest.lines(Math.min(room, most) - 1 - stack.length)];
    },
  };
}

function stackOf(trace: string): string[] {
  return trace
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => `  ${line.trim()}`);
}

/** A line for each text. */
const said = (word: string, texts: readonly string[], most: number): Part =>
  list(
    texts.map((text) => `${word}: ${oneLine(text)}`),
    most,
  );

/** Tensors that no case could show to be right, a line a side. */
function unshownPart({ unshown }: ParityReport, most: number): Part {
  const sides = [...new Set(unshown.map(({ implementation }) => implementation))];
  return list(
    sides.map((side) => {
      const own = unshown.filter(({ implementation }) => implementation === side);
      return `not shown: ${side} never had to prove ${listed(own.map(({ tensor }) => tensor))} (ill-conditioned or vanished in every case)`;
    }),
    most,
  );
}
