import { randomUUID } from 'node:crypto';
import { BackendNotRunError, UsageError } from '../../base/outcome';
import { visible } from '../../reports/index';
import { deferred, launchBrowser, pageHtml, servePage, type LaunchOptions } from '../../sides/remote/index';
import type { SideCharts } from '../html/index';
import type { PageConfig } from '../page/config';
import type { ParityReport } from '../report';
import { auditPage } from './audit-page';
import { readCharts } from './read-charts';

export interface BrowserRunOptions {
  /** what the page runs */ readonly config?: PageConfig;
  /** absent: `open` shows the address to a person */ readonly browser?: LaunchOptions | undefined;
  /** opens the address where no browser is started here */ readonly open?: (address: string) => void;
  /** for the whole run, in seconds; default 900 */ readonly timeoutSeconds?: number;
  /** a page that is loaded anew is there again before this; default 10,000 */ readonly reloadMs?: number;
  /** hears where the page is */ readonly progress?: (line: string) => void;
}

/** What came back, and what contradicts it. */
export interface BrowserRun {
  readonly report: ParityReport;
  /** as the page wrote it */ readonly text: string;
  /** what the page draws */ readonly charts: readonly SideCharts[];
  /** a run with any of these is a mismatch, whatever the report says */ readonly faults: readonly string[];
}

/**
 * Runs the page in a browser and audits its report.
 *
 * @throws BackendNotRunError where the browser ends, or the time is over, before there is a report
 * @throws UsageError where what came back is no report
 */
export async function runBrowser(options: BrowserRunOptions): Promise<BrowserRun> {
  const { browser, open, timeoutSeconds = 900, reloadMs = 10_000, progress } = options;
  const config: PageConfig = { ...options.config, reports: true, run: randomUUID() };
  const received = deferred<string>();
  const stop = (reason: string): void => received.reject(new BackendNotRunError(reason));
  const pages = new Set<string>();
  let closed: ReturnType<typeof setTimeout> | undefined;
  let drawn = '[]';
  const reports: string[] = [];
  const take = (hear: (body: string) => void) => (body: string) => {
    hear(body);
    return '';
  };
  const server = await servePage(await pageHtml(), config, {
    opened: take((body) => {
      clearTimeout(closed);
      pages.add(body.slice(0, 100));
    }),
    closed: take((body) => {
      pages.delete(body.slice(0, 100));
      clearTimeout(closed);
      if (pages.size === 0)
        closed = setTimeout(() => {
          stop('the page was closed, or left for another one, before it had a report.');
        }, reloadMs);
    }),
    charts: take((body) => (drawn = body)),
    report: take((body) => {
      reports.push(body);
      received.resolve(body);
    }),
    progress: take((body) => progress?.(visible(body.slice(0, 500)))),
    failed: take((body) =>
      received.reject(new UsageError(`the page failed: ${visible(body.slice(0, 500))}`)),
    ),
  });
  let started: Awaited<ReturnType<typeof launchBrowser>> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    if (browser === undefined) open?.(server.address);
    else {
      started = await launchBrowser(browser, server.address);
      void started.ended.then((how) => stop(`the browser ended ${how} before its page had a report.`));
    }
    timer = setTimeout(() => {
      stop(`the page had no report after ${timeoutSeconds} s; give it more time with --timeout.`);
    }, timeoutSeconds * 1000);
    const text = await received.promise;
    const { report, faults } = await auditPage(text, config);
    const charts = await readCharts(drawn).catch((error: unknown) => String(error));
    await server.settled(10_000);
    const found = [
      ...faults,
      ...(typeof charts === 'string' ? [`the charts of the page cannot be read: ${charts}`] : []),
      ...(await auditOthers(reports, config)),
    ];
    return { report, text, charts: typeof charts === 'string' ? [] : charts, faults: found };
  } finally {
    clearTimeout(timer);
    clearTimeout(closed);
    received.promise.catch(() => undefined);
    await started?.close();
    await server.close();
  }
}

/** The reports that came after the first one, until the audit was done: of a second page, which had the same to run. */
async function auditOthers(reports: readonly string[], config: PageConfig): Promise<string[]> {
  const found: string[] = [];
  for (const other of reports.slice(1)) {
    const why = await auditPage(other, config).then(
      ({ report, faults }) => faults.at(0) ?? (report.exitCode === 0 ? undefined : report.verdict),
      (error: unknown) => (error as Error).message,
    );
    if (why !== undefined) found.push(`another page of this run reported something else: ${why}`);
  }
  return found;
}
