import { create, type XMLElement } from 'xmlbuilder';

export interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  readonly outcome?: TestOutcome;
  /** what could be said of a case that is well */ readonly output?: string;
}

export interface TestOutcome {
  readonly kind: 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
  readonly text?: string;
}

/** Suites as JUnit XML, as CI servers read it. Characters that XML 1.0 has no place for become `?`. */
export function junitOf(name: string, suites: readonly TestSuite[]): string {
  const root = create('testsuites', { encoding: 'UTF-8', invalidCharReplacement: '?' }, undefined, {});
  countAttributes(
    root.att('name', name),
    suites.flatMap(({ cases }) => cases),
  );
  for (const suite of suites) addSuite(root, suite);
  return `${root.end({ pretty: true })}\n`;
}

function addSuite(root: XMLElement, { name, cases }: TestSuite): void {
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
  const number = (kind: TestOutcome['kind']): number =>
    cases.filter(({ outcome }) => outcome?.kind === kind).length;
  return element
    .att('tests', cases.length)
    .att('failures', number('failure'))
    .att('errors', number('error'))
    .att('skipped', number('skipped'));
}
