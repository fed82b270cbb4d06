import { conclude } from '../conclude';
import type { BrowserSideFacts, HarnessError, PlannedCase, SideReport } from '../report';
import { noFindings, together, type Collected } from '../collected';
import type { SideCharts } from '../html/chart-data';
import { casesOf, sidesOf, type PageConfig } from './config';
import { silenceInWords } from './patience';
import { planOf } from './plan';
import { readBackSizes } from './read-back';
import type { PageState } from './sections';
import { SideWorker, type End, type Meanwhile } from './side-worker';
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
  private async readBack(one: SideSoFar, numbers: number): Promise<void> {
    let silent: number | undefined;
    let absent = 0;
    for (;;) {
      const worker = new SideWorker({ least: silent === undefined ? this.config.patience : 2 * silent });
      const end = await worker.ask({ type: 'read back', side: one.side, numbers });
      worker.end();
      if (end.type === 'silent' && silent === undefined) silent = end.seconds;
      else if (end.type === 'unavailable' && absent < mostAbsent) {
        absent++;
        await new Promise((resolve) => setTimeout(resolve, 2000));
      } else {
        if (end.type === 'read') one.found?.cases.push(end.verdict);
        else if (end.type === 'silent')
          one.error = errorOf(one.side.name, silenceInWords(silent ?? 0, end.seconds));
        else if (end.type === 'unavailable') one.error = errorOf(one.side.name, end.reason);
        else this.hear(one, end, true);
        this.changed(this.state(), false);
        return;
      }
    }
  }

  private async runSide(one: SideSoFar): Promise<void> {
    const { config } = this;
    const { side, silent } = one;
    const required = config.sides !== undefined;
    delete one.facts;
    one.report = { name: side.name, status: 'ran', required };
    one.done = 0;
    const worker = new SideWorker({
      least: silent === undefined ? config.patience : 2 * silent,
      hangs: (config.hangs ?? 0) > (silent === undefined ? 0 : 1),
    });
    const end = await worker.ask({ type: 'run', side, config }, (message) => {
      this.hear(one, message, required);
      this.changed(this.state(), message.type === 'step');
    });
    worker.end();
    this.hear(one, end, required);
    this.changed(this.state(), false);
  }

  private hear(one: SideSoFar, message: Meanwhile | End, required: boolean): void {
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
  { version, software, opened }: Meanwhile & { readonly type: 'opened' },
): BrowserSideFacts {
  return { name, version, software, flags, complaints: [], opened, took: opened };
}
