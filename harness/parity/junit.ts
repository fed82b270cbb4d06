import { create, type XMLElement } from 'xmlbuilder';
import type { CaseVerdict } from '../judge/index';
import type { ParityReport, SideReport } from './report';
import { formatDiagnosis, formatDiagnosisShort } from './text/diagnosis';
import { caseLine, commandFor, diagnosisFor } from './text/failures';
import { redCases, type RedCase } from './text/red';
import { count, indentedLine } from '../reports/index';
import { formatVerdict } from './text/verdict-line';

interface TestCase {
  readonly name: string;
  readonly outcome?: Outcome;
  /** what could be said of a case that is well */ readonly output?: string;
}

interface Outcome {
  readonly kind: 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
  readonly text?: string;
}

/**
 * The report as JUnit XML, as CI servers read it: a suite a side, a test case a case. A mismatch is a failure with its diagnosis, what
 * a side threw is an error, as is a required side that did not run; another side that did not run is skipped. What belongs to
 * no case of a side (the ledger's audit, tensors never shown) is in a suite of its own, so that a run that is not green never looks so.
 */
export function formatJunit(report: ParityReport): string {
  const suites = report.sides.map((side) => [side.name, testCases(side, report)] as const);
  const whole: readonly [string, readonly TestCase[]] = ['the run as a whole', [runAsWhole(report)]];
  // invalid characters (a candidate may print any) have no place in XML 1.0
  const root = create('testsuites', { encoding: 'UTF-8', invalidCharReplacement: '?' }, undefined, {});
  countAttributes(
    root.att('name', 'rnn-parity'),
    [...suites, whole].flatMap(([, cases]) => cases),
  );
  for (const [name, cases] of [...suites, whole]) addSuite(root, name, cases);
  return `${root.end({ pretty: true })}\n`;
}

function testCases(side: SideReport, report: ParityReport): TestCase[] {
  const { name } = side;
  if (side.status === 'not run') {
    const message = side.reason ?? 'unknown reason';
    const outcome: Outcome = side.required
      ? { kind: 'error', type: 'backend not run', message: `required, but not run: ${message}` }
      : { kind: 'skipped', type: 'backend not run', message };
    return [{ name: 'not run', outcome }];
  }
  const red = new Map(redCases(report.cases).map((one) => [key(one), one]));
  const judged = report.cases
    .filter(({ implementation }) => implementation === name)
    .map((verdict): TestCase => {
      const failed = red.get(key(verdict));
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
  const settled = new Set([...cases, ...errors].map(key));
  return plan
    .filter((planned) => planned.implementation === name && !settled.has(key(planned)))
    .map(({ caseId }) => ({
      name: caseId,
      outcome: { kind: 'skipped', type: 'no verdict', message: 'there is no verdict: the side ended before' },
    }));
}

function failure(red: RedCase, report: ParityReport): Outcome {
  const diagnosis = diagnosisFor(red, report.diagnoses);
  const lines = [
    ...(diagnosis === undefined ? [] : formatDiagnosis(diagnosis, red.red)),
    ...red.red.map((tensor) => caseLine({ ...red, red: [tensor] })),
    ...(red.ledger === undefined ? [] : [red.ledger]),
    `run it again: ${commandFor(red, report)}`,
  ];
  return {
    kind: 'failure',
    type: diagnosis?.phase ?? 'mismatch',
    message: diagnosis === undefined ? indentedLine(caseLine(red)) : formatDiagnosisShort(diagnosis),
    text: lines.join('\n'),
  };
}

/** Green only when the run is; red where no case of a side says why. */
function runAsWhole(report: ParityReport): TestCase {
  const { verdict, audit, unshown } = report;
  const warnings = report.warnings.map((warning) => `warning: ${warning}`);
  const name = 'every planned number is accounted for';
  const told = [
    ...audit.map((fault) => `not accounted for: ${fault}`),
    ...(report.complete ? unshown : []).map(
      ({ implementation, tensor }) => `not shown: ${implementation} never had to prove ${tensor}`,
    ),
  ];
  if (verdict !== 'mismatch' || told.length === 0)
    return { name, output: [formatVerdict(report), ...warnings].join('\n') };
  const message = `${count(told.length, 'thing')} not accounted for or never shown to be right`;
  return { name, outcome: { kind: 'failure', type: 'ledger', message, text: told.join('\n') } };
}

function addSuite(root: XMLElement, name: string, cases: readonly TestCase[]): void {
  const suite = countAttributes(root.ele('testsuite').att('name', name), cases);
  for (const { name: caseName, outcome, output } of cases) {
    const element = suite.ele('testcase', { classname: name, name: caseName, time: '0' });
    if (outcome !== undefined) {
      const { kind, type, message, text = '' } = outcome;
      element.ele(kind, { message, type }, text);
    }
    if (output !== undefined) element.ele('system-out', {}, output);
  }
}

function countAttributes(element: XMLElement, cases: readonly TestCase[]): XMLElement {
  const number = (kind: Outcome['kind']): number =>
    cases.filter(({ outcome }) => outcome?.kind === kind).length;
  return element
    .att('tests', cases.length)
    .att('failures', number('failure'))
    .att('errors', number('error'))
    .att('skipped', number('skipped'));
}

function key({ implementation, caseId }: Pick<CaseVerdict, 'implementation' | 'caseId'>): string {
  return JSON.stringify([implementation, caseId]);
}
