import { mapProblem } from '../base/problem';
import { caseIdOf, viewNames } from '../examine/index';
import type { ParityReport } from '../parity/index';
import { casesOf, type PageConfig } from '../parity/page/index';
import { browserIn } from '../sides/page/index';
import { signatureOf, verdictOfViews } from './judge-problem';
import { keepCase } from './save-case';
import { versionsOf } from './versions';

/**
 * Saves failing problems of a page's report as case files, the first of every class of failure of a side (`signatureOf`), as `fuzz` does;
 * `replay` drives the browser again. Training steps are no problems by themselves, and are left out.
 *
 * @param config what the page was asked for: the report does not hold the problems, and these follow from it
 * @returns the paths
 * @throws UsageError where one cannot be written
 */
export async function keepPageCases(
  out: string,
  { sides, cases, seed, browser }: Pick<ParityReport, 'sides' | 'cases' | 'seed' | 'browser'>,
  config: PageConfig,
): Promise<string[]> {
  const { problems, layered } = await casesOf(config);
  const files: string[] = [];
  for (const { name, version } of sides) {
    const own = new Map(
      cases.filter(({ implementation }) => implementation === name).map((one) => [one.caseId, one]),
    );
    const known = new Set<string>();
    // as a float32 side holds it, and without -0, which JSON would lose
    for (const problem of [...problems, ...layered].map((one) =>
      mapProblem(one, (x) => Math.fround(x) + 0),
    )) {
      const { id } = problem;
      const views = Object.fromEntries(viewNames.map((view) => [view, own.get(caseIdOf(id, view))]));
      if (!Object.values(views).some((view) => view?.status === 'fail')) continue;
      const verdict = verdictOfViews(problem, 'fail', views);
      if (verdict.failing.length === 0) continue;
      const signature = signatureOf(verdict, problem) ?? '';
      if (known.has(signature)) continue;
      known.add(signature);
      const finding = { verdict, compared: 0, fatal: false };
      const shrinking = { path: '0', tries: 0, ended: 'not asked' } as const;
      // as `replay` has it of the same side
      const versions = versionsOf([
        { name, version: `${version ?? ''}, ${browserIn(browser?.userAgent ?? '')}` },
      ]);
      const origin = { id, seed, versions, side: { name, backend: name } };
      files.push(await keepCase(out, { problem, finding, shrinking }, origin));
    }
  }
  return files;
}
