import type { EngineEntry } from './catalogue';
import type { BenchSize } from './size';
import type { Task } from './task';

/** What is measured at one size: tasks, each with the engines that take turns in it. */
export interface PlannedSize {
  readonly size: BenchSize;
  readonly tasks: readonly PlannedTask[];
}

export interface PlannedTask {
  readonly task: Task;
  readonly engines: readonly EngineEntry[];
}

/** Every task with every engine at every size. */
export function planAll(
  sizes: readonly BenchSize[],
  tasks: readonly Task[],
  engines: readonly EngineEntry[],
): PlannedSize[] {
  return sizes.map((size) => ({ size, tasks: tasks.map((task) => ({ task, engines })) }));
}

/** Each size once, with each of its tasks once, and all engines that any plan has for it. */
export function mergePlans(...plans: readonly (readonly PlannedSize[])[]): PlannedSize[] {
  const merged = new Map<string, { size: BenchSize; tasks: Map<Task, Set<EngineEntry>> }>();
  for (const { size, tasks } of plans.flat()) {
    const same = merged.get(size.name) ?? { size, tasks: new Map<Task, Set<EngineEntry>>() };
    merged.set(size.name, same);
    for (const { task, engines } of tasks) {
      same.tasks.set(task, new Set([...(same.tasks.get(task) ?? []), ...engines]));
    }
  }
  return Array.from(merged.values(), ({ size, tasks }) => ({
    size,
    tasks: Array.from(tasks, ([task, engines]) => ({ task, engines: [...engines] })),
  }));
}

/** All engines of a plan, each once. */
export function enginesOf({ tasks }: PlannedSize): EngineEntry[] {
  return [...new Set(tasks.flatMap(({ engines }) => engines))];
}
