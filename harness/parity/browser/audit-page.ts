import { casesOf, sidesOf, type PageConfig } from '../page/config';
import { planOf } from '../page/plan';
import { checkReport } from '../report-file';
import type { ParityReport, PlannedCase } from '../report';

/**
 * Audits what a page sent as if it had come from an enemy: schema, digest, every status from its numbers (`checkReport`), and the plan,
 * which is derived again from the seed. A page that was closed midway, or a report that lost a case, contradicts one of them.
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
  for (const { implementation, caseId } of missing.slice(0, 20))
    found.push(`${implementation}, ${caseId}: is not planned as the seed demands`);
  if (report.plan.length !== expected.length)
    found.push(`${report.plan.length} cases are planned, but the seed demands ${expected.length}`);
  return { report, faults: found };
}

const keyOf = ({ implementation, caseId }: PlannedCase): string => JSON.stringify([implementation, caseId]);
