import { UsageError } from '../base/outcome';

/** What is timed, and how the tables call it. */
export const taskTitles = {
  step: 'training step',
  epoch: 'epoch through fit',
  forward1: 'forward, batch 1',
  forward256: 'forward, batch 256',
  setup: 'set-up: new model to the end of its first training step',
} as const;
export type Task = keyof typeof taskTitles;
export const taskNames = Object.keys(taskTitles) as Task[];

/**
 * Reads `step,epoch`.
 *
 * @throws UsageError on a name that is not a task
 */
export function parseTasks(text: string): Task[] {
  return [...new Set(text.split(','))].map((name) => {
    if (Object.hasOwn(taskTitles, name)) return name as Task;
    throw new UsageError(`--tasks: "${name}" is not a task; choose from ${taskNames.join(', ')}.`);
  });
}
