import type { EngineEntry } from '../catalogue';
import { ChildFailure, ChildLink, type Launch } from '../../base/process/index';
import { describeVerdict, judgeEngine, type Reference } from '../parity-gate';
import type { Operations, Started, Status, WireProblem } from './protocol';
import type { EngineFailureNote, EngineReport } from '../report/schema';
import type { Effort } from '../schedule';
import type { Task } from '../task';

/** Importing Keras from a cold disk takes a while. */
const startMilliseconds = 180_000;

/** How long one call may take, and how much more to wait for its answer. */
export type CallLimits = Pick<Effort, 'longestCallMilliseconds' | 'graceMilliseconds'>;

/** One engine at one size: its process, and what went wrong with it. */
export class EngineSession {
  readonly failures: EngineFailureNote[] = [];
  private parity: EngineReport['parity'] = [];
  private alive = true;

  private constructor(
    readonly entry: EngineEntry,
    private readonly engine: ChildLink<Operations>,
    readonly started: Started,
    private readonly loaded: Status,
    private readonly limits: CallLimits,
  ) {}

  /** @throws ChildFailure with `absent` when the engine cannot run on this machine */
  static async start(entry: EngineEntry, launch: Launch, limits: CallLimits): Promise<EngineSession> {
    const engine = new ChildLink<Operations>(launch);
    try {
      const started = await engine.request('start', {}, startMilliseconds);
      const loaded = await engine.request('status', {}, startMilliseconds);
      return new EngineSession(entry, engine, started, loaded, limits);
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  /** Sends the problem and asserts parity; an engine that is wrong is reported and never timed. */
  async open(problem: WireProblem, reference: Reference): Promise<void> {
    await this.attempt('open', 'open', { problem });
    const checked = await this.attempt('parity', 'check', {});
    if (checked === undefined) return;
    const verdict = judgeEngine(reference, checked);
    this.parity = verdict.entries;
    if (!verdict.passed) this.give('wrong', 'parity', describeVerdict(verdict));
  }

  can(task: Task): boolean {
    return this.alive && this.started.tasks.includes(task);
  }

  /** First call, then warm calls; undefined when the engine failed or is too slow for this task. */
  async warm(task: Task): Promise<{ first: number; warm: number } | undefined> {
    const first = (await this.attempt(task, 'run', { task, calls: 1 }))?.milliseconds;
    if (first === undefined) return undefined;
    if (first > this.limits.longestCallMilliseconds) {
      const [took, limit] = [first, this.limits.longestCallMilliseconds].map((ms) =>
        (ms / 1000).toPrecision(3),
      );
      this.failures.push({
        kind: 'slow',
        during: task,
        message: `one call took ${took} s, above the limit of ${limit} s`,
      });
      return undefined;
    }
    // A call of seconds is warm enough; compiling and just-in-time optimising are over by then.
    if (first > 5000) return { first, warm: first };
    const warmed = await this.attempt(task, 'warm', { task, calls: 2, milliseconds: 300 });
    return warmed && { first, warm: warmed.warmMilliseconds };
  }

  /** Milliseconds per call of one sample; undefined when the engine failed. */
  async sample(task: Task, calls: number): Promise<number | undefined> {
    const timed = await this.attempt(task, 'run', { task, calls });
    return timed && timed.milliseconds / calls;
  }

  status(): Promise<Status | undefined> {
    return this.attempt('open', 'status', {});
  }

  report(): EngineReport {
    return {
      engine: this.entry.name,
      ...(this.started.settings === undefined ? {} : { settings: this.started.settings }),
      loadMilliseconds: this.started.milliseconds,
      loadedBytes: this.loaded.rssBytes,
      parity: this.parity,
      failures: this.failures,
    };
  }

  async stop(): Promise<void> {
    this.alive = false;
    await this.engine.stop();
  }

  private async attempt<K extends keyof Operations>(
    during: EngineFailureNote['during'],
    op: K,
    request: Operations[K]['request'],
  ): Promise<Operations[K]['result'] | undefined> {
    if (!this.alive) return undefined;
    const { longestCallMilliseconds, graceMilliseconds } = this.limits;
    try {
      return await this.engine.request(op, request, longestCallMilliseconds + graceMilliseconds);
    } catch (error) {
      if (!(error instanceof ChildFailure)) throw error;
      this.give('failed', during, error.message);
      return undefined;
    }
  }

  private give(kind: EngineFailureNote['kind'], during: EngineFailureNote['during'], message: string): void {
    this.failures.push({ kind, during, message });
    this.alive = false;
  }
}
