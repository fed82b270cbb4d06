import { count, indentedLine, junitOf, type TestCase, type TestOutcome } from '../reports/index';
import { keyOf, type ParityReport, type SideReport } from './report';
import { formatDiagnosis, formatDiagnosisShort, tensorInWords } from './text/diagnosis';
import { failingCases, type FailingCase } from './text/failing';
import { caseLine, commandFor, diagnosisFor } from './text/failures';
import { formatVerdict } from './text/verdict-line';

/**
 * The report as JUnit XML, as CI servers read it: a suite a side, a test case a case. A mismatch is a failure with its diagnosis, what
 * a side threw is an error, as is a required side that did not run; any other side that did not run is skipped. What belongs to
 * no case of a side (the ledger's audit, tensors never shown) is in a suite of its own, so that a run that fails always looks so.
 */
export function formatJunit(report: ParityReport): string {
  return junitOf('rnn-parity', [
    ...report.sides.map((side) => ({ name: side.name, cases: testCases(side, report) })),
    { name: 'the run as a whole', cases: [runAsWhole(report)] },
  ]);
}

function testCases(side: SideReport, report: ParityReport): TestCase[] {
  const { name } = side;
  if (side.status === 'not run') {
    const message = side.reason ?? 'unknown reason';
    const outcome: TestOutcome = side.required
      ? { kind: 'error', type: 'backend not run', message: `required, but not run: ${message}` }
      : { kind: 'skipped', type: 'backend not run', message };
    return [{ name: 'not run', outcome }];
  }
  const failing = new Map(failingCases(report.cases).map((one) => [keyOf(one), one]));
  const judged = report.cases
    .filter(({ implementation }) => implementation === name)
    .map((verdict): TestCase => {
      const failed = failing.get(keyOf(verdict));
      if (failed !== undefined) return { name: verdict.caseId, outcome: failure(failed, report) };
      const ill = verdict.tensors.filter(({ status }) => status === 'ill');
      const output = ill.map(({ tensor, reason = '' }) => `${tensor}: ${reason}`).join('\n');
      return { name: verdict.caseId, ...(ill.length > 0 && { output }) };
    });
  const thrown = report.errors
    .filter(({ implementation }) => implementation === name)
    .map(({ caseId, message, trace }): TestCase => ({
      name: caseId,
      outcome: { kind: 'error', type: 'thrown', message, text: `${message}\n${trace}` },
    }));
  return [...judged, ...thrown, ...neverAsked(name, report)];
}

/** Cases that a side did not come to because it ended, or was stopped, before. */
function neverAsked(name: string, { plan, cases, errors }: ParityReport): TestCase[] {
  const settled = new Set([...cases, ...errors].map(keyOf));
  return plan
    .filter((planned) => planned.implementation === name && !settled.has(keyOf(planned)))
    .map(({ caseId }) => ({
      name: caseId,
      outcome: { kind: 'skipped', type: 'no verdict', message: 'there is no verdict: the side ended before' },
    }));
}

function failure(failed: FailingCase, report: ParityReport): TestOutcome {
  const diagnosis = diagnosisFor(failed, report.diagnoses);
  const lines = [
    ...(diagnosis === undefined ? [] : formatDiagnosis(diagnosis, report)),
    ...failed.failing.map((tensor) => tensorInWords(tensor, report)),
    ...(failed.ledger === undefined ? [] : [failed.ledger]),
    `run it again: ${commandFor(failed, report)}`,
  ];
  return {
    kind: 'failure',
    type: diagnosis?.phase ?? 'mismatch',
    message:
      diagnosis === undefined ? indentedLine(caseLine(failed, report)) : formatDiagnosisShort(diagnosis),
    text: lines.join('\n'),
  };
}

/** Passes only when the run does; fails where no case of a side says why. */
function runAsWhole(report: ParityReport): TestCase {
  const { verdict, audit, unshown } = report;
  const warnings = report.warnings.map((warning) => `warning: ${warning}`);
  const name = 'every planned number is accounted for';
  const faults = [
    ...audit.map((fault) => `not accounted for: ${fault}`),
    ...(report.complete ? unshown : []).map(
      ({ implementation, tensor }) => `not shown: ${implementation} never had to prove ${tensor}`,
    ),
  ];
  if (verdict !== 'mismatch' || faults.length === 0)
    return { name, output: [formatVerdict(report), ...warnings].join('\n') };
  const message = `${count(faults.length, 'thing')} not accounted for or never shown to be right`;
  return { name, outcome: { kind: 'failure', type: 'ledger', message, text: faults.join('\n') } };
}
