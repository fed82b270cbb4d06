import { casesOf, sidesOf, type PageConfig } from '../page/config';
import type { PageSide } from '../../sides/page/index';
import { planOf } from '../page/plan';
import { checkReport } from '../report-file';
import { keyOf, placeOf, type ParityReport } from '../report';
import { auditNumbers } from './audit-numbers';

/**
 * Audits what a page sent as if it had come from an enemy: schema, digest, every status from its numbers (`checkReport`), the plan, which is
 * derived again from the seed, the numbers themselves (`auditNumbers`), and complaints of a device. A page that was closed midway, or a
 * report that lost a case, contradicts one of them.
 *
 * @throws UsageError where the text is no report
 */
export async function auditPage(
  text: string,
  config: PageConfig,
): Promise<{ readonly report: ParityReport; readonly faults: readonly string[] }> {
  const { report, faults } = await checkReport(text, 'the report of the page');
  const { seed = 1, only, run } = config;
  const found = [...faults];
  const differs = (what: string, given: unknown, expected: unknown): void => {
    if (given !== expected) found.push(`${what} is ${String(given)}, but ${String(expected)} was asked for`);
  };
  differs('the seed', report.seed, seed);
  differs('the run of rnn-parity that it belongs to', report.browser?.run, run);
  differs('the pattern of cases', report.only, only ?? null);
  differs('complete', report.complete, only === undefined);
  const sides = sidesOf(config);
  differs(
    'the list of sides',
    report.sides.map(({ name }) => name).join(', '),
    sides.map(({ name }) => name).join(', '),
  );
  const cases = await casesOf(config);
  const ran = sides.filter(({ name }) =>
    report.sides.some((one) => one.name === name && one.status === 'ran'),
  );
  const expected = ran.flatMap((side) => planOf(cases, side, only));
  const planned = new Map(report.plan.map((one) => [keyOf(one), JSON.stringify(one)]));
  const missing = expected.filter((one) => planned.get(keyOf(one)) !== JSON.stringify(one));
  for (const one of missing.slice(0, 20)) found.push(`${placeOf(one)}: is not planned as the seed demands`);
  if (report.plan.length !== expected.length)
    found.push(`${report.plan.length} cases are planned, but the seed demands ${expected.length}`);
  found.push(
    ...auditFacts(report, ran),
    ...auditOmissions(report).slice(0, 20),
    ...auditNumbers(report.cases, cases).slice(0, 20),
  );
  return { report, faults: found };
}

/**
 * Holds what the page says of its devices against the sides: each side that ran has facts with the flags of that side, and one whose
 * device complained is never right: either something is wrong there, or the complaint is an error of the run.
 */
function auditFacts({ browser, cases, errors }: ParityReport, ran: readonly PageSide[]): string[] {
  const failing = cases.filter(({ status }) => status === 'fail');
  const bad = new Set([...failing, ...errors].map(({ implementation }) => implementation));
  return ran
    .filter(({ name }) => !bad.has(name))
    .flatMap(({ name, flags }) => {
      const facts = browser?.sides.find((one) => one.name === name);
      if (facts === undefined) return [`${name} ran, but the report does not say on which device`];
      const [given, expected] = [facts.flags, flags].map((one) => JSON.stringify(one));
      return [
        ...(given === expected ? [] : [`${name} ran with the flags ${given}, but ${expected} was asked for`]),
        ...facts.complaints
          .slice(0, 1)
          .map((line) => `${name} is called right, but its device complained: ${line}`),
      ];
    });
}

/** Every side of a page gives every tensor; what it refuses is an error of the run. */
function auditOmissions({ cases, errors }: ParityReport): string[] {
  const stopped = new Set(errors.map(({ implementation }) => implementation));
  return cases
    .filter(({ implementation }) => !stopped.has(implementation))
    .flatMap((verdict) =>
      verdict.tensors
        .filter(({ status }) => status === 'omitted')
        .map(({ tensor }) => `${placeOf(verdict)}: ${tensor} is left out, but every side of a page gives it`),
    );
}
