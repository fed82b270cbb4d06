import { BackendNotRunError, UsageError } from '../../base/outcome';
import type { PageConfig } from '../page/config';
import type { ParityReport } from '../report';
import { deferred } from '../../sides/remote/index';
import { auditPage } from './audit-page';
import { launchBrowser, type LaunchOptions } from '../../sides/remote/index';
import { pageHtml } from '../../sides/remote/index';
import { servePage } from '../../sides/remote/index';

export interface BrowserRunOptions {
  /** what the page runs */ readonly config?: PageConfig;
  /** absent: `open` shows the address to somebody */ readonly browser?: LaunchOptions | undefined;
  /** opens the address where no browser is started here */ readonly open?: (address: string) => void;
  /** for the whole run, in seconds; default 900 */ readonly timeoutSeconds?: number;
  /** hears where the page is */ readonly progress?: (line: string) => void;
}

/** What came back, and what contradicts it. */
export interface BrowserRun {
  readonly report: ParityReport;
  /** as the page wrote it */ readonly text: string;
  /** a run with any of these is a mismatch, whatever the report says */ readonly faults: readonly string[];
}

/**
 * Runs the page in a browser and audits its report.
 *
 * @throws BackendNotRunError where the browser ends, or the time is over, before there is a report
 * @throws UsageError where what came back is no report
 */
export async function runBrowser(options: BrowserRunOptions): Promise<BrowserRun> {
  const { browser, open, timeoutSeconds = 900, progress } = options;
  const config: PageConfig = { ...options.config, reports: true };
  const received = deferred<string>();
  const server = await servePage(await pageHtml(), config, {
    report: (body) => {
      received.resolve(body);
      return '';
    },
    progress: (body) => {
      progress?.(body.slice(0, 500));
      return '';
    },
    failed: (body) => {
      received.reject(new UsageError(`the page failed: ${body.slice(0, 500)}`));
      return '';
    },
  });
  let started: Awaited<ReturnType<typeof launchBrowser>> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    if (browser === undefined) open?.(server.address);
    else {
      started = await launchBrowser(browser, server.address);
      void started.ended.then((how) => {
        received.reject(new BackendNotRunError(`the browser ended ${how} before its page had a report.`));
      });
    }
    timer = setTimeout(() => {
      received.reject(
        new BackendNotRunError(
          `the page had no report after ${timeoutSeconds} s; give it more time with --timeout.`,
        ),
      );
    }, timeoutSeconds * 1000);
    const text = await received.promise;
    return { text, ...(await auditPage(text, config)) };
  } finally {
    clearTimeout(timer);
    received.promise.catch(() => undefined);
    await started?.close();
    await server.close();
  }
}
