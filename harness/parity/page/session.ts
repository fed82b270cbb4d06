import { conclude } from '../conclude';
import type { BrowserSideFacts, HarnessError, PlannedCase, SideReport } from '../report';
import { together } from '../run-side';
import { noFindings, type Collected } from '../side-run';
import type { SideCharts } from '../html/chart-data';
import { extents, pageCases } from './cases';
import type { PageConfig } from './config';
import { sidesOf } from './config';
import type { FromWorker } from './messages';
import { planOf } from './plan';
import { readBackSizes } from './read-back';
import type { PageState } from './sections';
import { SideWorker } from './side-worker';
import type { PageSide } from '../../sides/page/index';

/** So many sides run at the same time, small ones first; the sides of a GPU share one device, so more would only wait. */
const atOnce = 2;

/** What is known of one side so far. */
interface SideSoFar {
  readonly side: PageSide;
  plan: PlannedCase[];
  report?: SideReport;
  found?: Collected;
  facts?: BrowserSideFacts;
  charts?: SideCharts | undefined;
  error?: HarnessError;
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
    const { seed = 1, only, extent = 'usual' } = this.config;
    const cases = await pageCases(seed, extents[extent], only);
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
    for (const one of this.sides)
      if (one.found !== undefined)
        for (const numbers of readBackSizes(one.side, only)) await this.readBack(one, numbers);
  }

  state(): PageState {
    const { seed = 1, only } = this.config;
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
      browser: { userAgent: navigator.userAgent, sides: facts },
    } satisfies Parameters<typeof conclude>[0]);
    return {
      report,
      charts: this.sides.flatMap(({ charts }) => charts ?? []),
      progress: new Map(this.sides.map(({ side, done, all }) => [side.name, [done, all]])),
    };
  }

  /** In a worker of its own: what it costs is only itself. */
  private readBack(one: SideSoFar, numbers: number): Promise<void> {
    return new Promise((resolve) => {
      const worker = new SideWorker((message) => {
        if (message.type === 'read') one.found?.cases.push(message.verdict);
        else this.hear(one, message, true);
        worker.end();
        this.changed(this.state(), false);
        resolve();
      });
      worker.tell({ type: 'read back', side: one.side, numbers });
    });
  }

  private runSide(one: SideSoFar): Promise<void> {
    const { seed = 1, only, extent = 'usual', plant, lose } = this.config;
    const required = this.config.sides !== undefined;
    const { name } = one.side;
    return new Promise((resolve) => {
      const worker = new SideWorker((message) => {
        this.hear(one, message, required);
        const isOver = ['done', 'unavailable', 'threw'].includes(message.type);
        this.changed(this.state(), !isOver);
        if (!isOver) return;
        worker.end();
        resolve();
      });
      one.report = { name, status: 'ran', required };
      worker.tell({ type: 'run', side: one.side, seed, only, extent: extents[extent], plant, lose });
    });
  }

  private hear(one: SideSoFar, message: FromWorker, required: boolean): void {
    const { name } = one.side;
    switch (message.type) {
      case 'opened':
        one.report = { name, status: 'ran', required, version: message.version };
        return;
      case 'unavailable':
        one.report = { name, status: 'not run', required, reason: message.reason };
        return;
      case 'step':
        one.done++;
        return;
      case 'done': {
        // what was planned is in the plan already, from the problems alone
        one.found = { ...message.found, plan: [], sides: [] };
        one.facts = message.facts;
        one.charts = message.charts;
        const { complaints } = message.facts;
        const isFailing = message.found.cases.some(({ status }) => status === 'fail');
        // a device that complains and is right in everything that was compared may be wrong in what was not
        if (complaints.length > 0 && !isFailing)
          one.error = { implementation: name, caseId: '(device)', message: complaints[0], trace: '' };
        return;
      }
      case 'threw':
        one.error = {
          implementation: name,
          caseId: '(worker)',
          message: message.message,
          trace: message.trace,
        };
        return;
      default:
    }
  }
}
