import type { EngineEntry } from './catalogue';
import { encodeProblem, makeProblem } from './data';
import { ChildFailure, type Launch } from '../base/process/index';
import { measureTask, memoryOf, type Tell } from './measure';
import { makeReference } from './parity-gate';
import type { Absence, EnduranceReport, EnduranceSeries, SizeReport } from './report/schema';
import type { Effort } from './schedule';
import { EngineSession } from './process/session';
import { enginesOf, type PlannedSize } from './plan';
import { describeSize, parseSize } from './size';
import type { Task } from './task';

export interface BenchSettings {
  readonly effort: Effort;
  readonly seed: number;
  readonly tell: Tell;
  /** how to start an engine; undefined when Python is missing */
  readonly launch: (entry: EngineEntry) => Launch | undefined;
}

/** Measures sizes, one after the other, with fresh processes for each; remembers who is absent. */
export class Bench {
  /** library to version, per engine that started */
  readonly versions: Record<string, Readonly<Record<string, string>>> = {};
  readonly absent: Absence[] = [];

  constructor(private readonly settings: BenchSettings) {}

  /** All engines of one size: parity first, then each task, interleaved. */
  async measureSize(plan: PlannedSize): Promise<SizeReport> {
    const { size, tasks } = plan;
    const spelled = describeSize(size);
    const title = size.name === spelled ? spelled : `${size.name} (${spelled})`;
    const tell: Tell = (line) => this.settings.tell(`${title}: ${line}`);
    const examples = tasks.some(({ task }) => task === 'epoch') ? size.epochExamples : size.batch;
    const problem = await makeProblem(size, examples, this.settings.seed);
    tell('the scratch network computes the reference');
    const reference = makeReference(problem);
    const wire = encodeProblem(problem);
    const sessions = await this.startAll(enginesOf(plan), tell);
    try {
      for (const session of sessions) {
        tell(`${session.entry.name} must agree with scratch`);
        await session.open(wire, reference);
      }
      const { effort, seed } = this.settings;
      const reports = [];
      for (const { task, engines } of tasks) {
        const taking = sessions.filter(({ entry }) => engines.includes(entry));
        reports.push(await measureTask(task, taking, { effort, seed, tell }));
      }
      return { size, engines: sessions.map((session) => session.report()), tasks: reports };
    } finally {
      await Promise.all(sessions.map((session) => session.stop()));
    }
  }

  /** One engine over many training steps and many models; nothing when it is absent. */
  async endure(entry: EngineEntry): Promise<EnduranceReport[]> {
    const size = parseSize('M');
    const problem = await makeProblem(size, size.batch, this.settings.seed);
    const sessions = await this.startAll([entry], this.settings.tell);
    try {
      const reports: EnduranceReport[] = [];
      for (const session of sessions) {
        await session.open(encodeProblem(problem), makeReference(problem));
        const steps = await watchMemory(session, 'step', stepSchedule, this.settings.tell);
        const cycles = await watchMemory(session, 'setup', cycleSchedule, this.settings.tell);
        reports.push({ engine: entry.name, size, steps, cycles, failures: session.failures });
      }
      return reports;
    } finally {
      await Promise.all(sessions.map((session) => session.stop()));
    }
  }

  private async startAll(engines: readonly EngineEntry[], tell: Tell): Promise<EngineSession[]> {
    const sessions: EngineSession[] = [];
    for (const entry of engines) {
      if (this.absent.some(({ engine }) => engine === entry.name)) continue;
      tell(`${entry.name} starts`);
      try {
        const session = await this.start(entry);
        this.versions[entry.name] = session.started.versions;
        sessions.push(session);
      } catch (error) {
        if (!(error instanceof ChildFailure)) throw error;
        this.absent.push({ engine: entry.name, reason: error.message });
        tell(`${entry.name} is absent: ${error.message}`);
      }
    }
    return sessions;
  }

  private start(entry: EngineEntry): Promise<EngineSession> {
    const launch = this.settings.launch(entry);
    if (launch === undefined) {
      throw new ChildFailure(
        'no Python 3.8 or later on the PATH; give one that has the library with --python PATH',
        { absent: true },
      );
    }
    return EngineSession.start(entry, launch, this.settings.effort);
  }
}

/** How often memory is read while a task is called many times. */
interface MemorySchedule {
  /** calls before the first reading: caches fill, code is compiled */ readonly warmUp: number;
  readonly calls: number;
  /** calls between two readings */ readonly every: number;
}

const stepSchedule: MemorySchedule = { warmUp: 1000, calls: 20_000, every: 1000 };
/** Each call builds a model, takes one training step and releases the model. */
const cycleSchedule: MemorySchedule = { warmUp: 10, calls: 100, every: 10 };

/** Calls a task many times and reads the memory of the engine's process at intervals. Stops where the engine fails. */
async function watchMemory(
  session: EngineSession,
  task: Task,
  { warmUp, calls, every }: MemorySchedule,
  tell: Tell,
): Promise<EnduranceSeries> {
  const readings: EnduranceSeries['readings'][number][] = [];
  await session.sample(task, warmUp);
  for (let done = 0; done <= calls; done += every) {
    tell(`endurance: ${session.entry.name}, ${task}: ${done} of ${calls} calls`);
    if (done > 0 && (await session.sample(task, every)) === undefined) break;
    const status = await session.status();
    if (status === undefined) break;
    readings.push({ calls: done, ...memoryOf(status) });
  }
  return { task, readings };
}
