import { conclude } from '../conclude';
import type { BrowserSideFacts, HarnessError, PlannedCase, SideReport } from '../report';
import { noFindings, together, type Collected } from '../collected';
import type { SideCharts } from '../html/chart-data';
import { casesOf, sidesOf, type PageConfig } from './config';
import type { FromWorker } from './messages';
import { silenceInWords } from './patience';
import { planOf } from './plan';
import { readBackSizes } from './read-back';
import type { PageState } from './sections';
import { SideWorker } from './side-worker';
import type { PageSide } from '../../sides/page/index';

/** So many sides run at the same time, small ones first; the sides of a GPU share one device, so more would only wait. */
const atOnce = 2;

/** A read is asked so often where its device is gone for now, after 2 s each time. */
const mostAbsent = 15;

/** What is known of one side so far. */
interface SideSoFar {
  readonly side: PageSide;
  plan: PlannedCase[];
  report?: SideReport;
  found?: Collected;
  facts?: BrowserSideFacts;
  charts?: SideCharts | undefined;
  error?: HarnessError;
  /** seconds without a sign of life, after which it was given up */ silent?: number;
  done: number;
  all: number;
}

/** Runs sides, each in a worker of its own, and says after everything it hears where the run stands. */
export class Session {
  private readonly sides: readonly SideSoFar[];

  constructor(
    private readonly config: PageConfig,
    private readonly changed: (state: PageState, isStep: boolean) => void,
  ) {
    this.sides = sidesOf(config).map((side) => ({ side, plan: [], done: 0, all: 0 }));
  }

  get names(): readonly string[] {
    return this.sides.map(({ side }) => side.name);
  }

  async run(): Promise<void> {
    const { only } = this.config;
    const cases = await casesOf(this.config);
    for (const one of this.sides) {
      one.plan = planOf(cases, one.side, only);
      one.all = new Set(one.plan.map(({ caseId }) => caseId.split(',')[0])).size;
    }
    this.changed(this.state(), false);
    const waiting = [...this.sides];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.runSide(next);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    // a machine that has much to do is slow without being wrong: once more, with nothing else at work
    for (const one of this.sides) if (one.silent !== undefined) await this.runSide(one);
    for (const one of this.sides)
      if (one.found !== undefined)
        for (const numbers of readBackSizes(one.side, only)) await this.readBack(one, numbers);
  }

  state(): PageState {
    const { seed = 1, only, run, flags } = this.config;
    const found = together(this.sides.map((one) => one.found ?? noFindings()));
    const plan = this.sides.filter(({ report }) => report?.status !== 'not run').flatMap((one) => one.plan);
    const facts = this.sides.flatMap((one) => one.facts ?? []);
    const report = conclude({
      ...found,
      seed,
      only: only ?? null,
      complete: only === undefined,
      sides: this.sides.map(
        ({ side, report }) =>
          report ?? { name: side.name, status: 'ran', required: this.config.sides !== undefined },
      ),
      plan,
      errors: [...found.errors, ...this.sides.flatMap(({ error }) => error ?? [])],
      ...(flags && { flags }),
      browser: { userAgent: navigator.userAgent, ...(run !== undefined && { run }), sides: facts },
    } satisfies Parameters<typeof conclude>[0]);
    return {
      report,
      charts: this.sides.flatMap(({ charts }) => charts ?? []),
      progress: new Map(this.sides.map(({ side, done, all }) => [side.name, [done, all]])),
    };
  }

  /**
   * In a worker of its own. What it costs may be the process of the GPU, and until the browser has started that again there is no device: so it
   * is asked a few times.
   */
  private readBack(one: SideSoFar, numbers: number, silent?: number, absent = 0): Promise<void> {
    const options = { least: silent === undefined ? this.config.patience : 2 * silent };
    return new Promise((resolve) => {
      const worker = new SideWorker((message) => {
        worker.end();
        if (message.type === 'silent' && silent === undefined) {
          resolve(this.readBack(one, numbers, message.seconds, absent));
          return;
        }
        if (message.type === 'unavailable' && absent < mostAbsent) {
          setTimeout(() => resolve(this.readBack(one, numbers, silent, absent + 1)), 2000);
          return;
        }
        if (message.type === 'read') one.found?.cases.push(message.verdict);
        else if (message.type === 'silent')
          one.error = errorOf(one.side.name, silenceInWords(silent ?? 0, message.seconds));
        else if (message.type === 'unavailable') one.error = errorOf(one.side.name, message.reason);
        else this.hear(one, message, true);
        this.changed(this.state(), false);
        resolve();
      }, options);
      worker.tell({ type: 'read back', side: one.side, numbers });
    });
  }

  private runSide(one: SideSoFar): Promise<void> {
    const { hangs = 0, patience } = this.config;
    const required = this.config.sides !== undefined;
    const { name } = one.side;
    const isAgain = one.silent !== undefined;
    return new Promise((resolve) => {
      const hear = (message: FromWorker): void => {
        this.hear(one, message, required);
        const isOver = ['done', 'unavailable', 'threw', 'silent'].includes(message.type);
        this.changed(this.state(), !isOver && message.type !== 'opened');
        if (!isOver) return;
        worker.end();
        resolve();
      };
      delete one.facts;
      const least = one.silent === undefined ? patience : 2 * one.silent;
      const worker = new SideWorker(hear, { least, hangs: hangs > (isAgain ? 1 : 0) });
      one.report = { name, status: 'ran', required };
      one.done = 0;
      worker.tell({ type: 'run', side: one.side, config: this.config });
    });
  }

  private hear(one: SideSoFar, message: FromWorker, required: boolean): void {
    const { name } = one.side;
    switch (message.type) {
      case 'opened':
        one.report = { name, status: 'ran', required, version: message.version };
        one.facts = factsOf(one.side, message);
        return;
      case 'unavailable':
        one.report = { name, status: 'not run', required, reason: message.reason };
        return;
      case 'step':
        one.done++;
        return;
      case 'silent':
        if (one.silent !== undefined) one.error = errorOf(name, silenceInWords(one.silent, message.seconds));
        one.silent = message.seconds;
        return;
      case 'done': {
        const again =
          one.silent === undefined
            ? []
            : [`${name} gave no sign of life for ${Math.round(one.silent)} s, and was run again alone`];
        const notes = [...message.found.notes, ...again];
        // what was planned is in the plan already, from the problems alone
        one.found = { ...message.found, notes, plan: [], sides: [] };
        one.facts = message.facts;
        one.charts = message.charts;
        const { complaints } = message.facts;
        const isFailing = message.found.cases.some(({ status }) => status === 'fail');
        // a device that complains and is right in everything that was compared may be wrong in what was not
        if (complaints.length > 0 && !isFailing)
          one.error = { ...errorOf(name, complaints[0]), caseId: '(device)' };
        return;
      }
      case 'threw':
        one.error = errorOf(name, message.message, message.trace);
        return;
      default:
    }
  }
}

function errorOf(implementation: string, message: string, trace = ''): HarnessError {
  return { implementation, caseId: '(worker)', message, trace };
}

/** Of a side that is open, and has done nothing yet; those of a side that is done replace them. */
function factsOf(
  { name, flags }: PageSide,
  { version, software, opened }: FromWorker & { readonly type: 'opened' },
): BrowserSideFacts {
  return { name, version, software, flags, complaints: [], opened, took: opened };
}
