import { memoryOf, type Tell } from './measure';
import type { EnduranceSeries } from './report/schema';
import type { EngineSession } from './process/session';
import type { Task } from './task';

/** How often memory is read while a task is called many times. */
export interface MemorySchedule {
  /** calls before the first reading: caches fill, code is compiled */ readonly warmUp: number;
  readonly calls: number;
  /** calls between two readings */ readonly every: number;
}

export const enduranceSize = 'M';
export const stepSchedule: MemorySchedule = { warmUp: 1000, calls: 20_000, every: 1000 };
/** Each call builds a model, takes one training step and releases the model. */
export const cycleSchedule: MemorySchedule = { warmUp: 10, calls: 100, every: 10 };

/** Calls a task many times and reads the memory of the engine's process at intervals. Stops where the engine fails. */
export async function watchMemory(
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
