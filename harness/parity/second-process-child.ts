// Runs in a process of its own: see second-process.ts.
import { anySideSource } from '../frameworks/index';
import { UsageError } from '../base/outcome';
import type { StartProgress } from '../base/progress';
import { runSource } from './run-side';
import type { Collected } from './side-run';
import type { Order, Told } from './second-process';

process.on('message', (order: Order) => void work(order));
process.on('disconnect', () => process.exit(0));

async function work({ sides, cases, tolerance }: Order): Promise<void> {
  try {
    const found: Collected[] = [];
    for (const { name, required } of sides)
      found.push(await runSource(anySideSource(name, required), cases, { tolerance, progress }));
    tell({ type: 'done', found });
  } catch (error) {
    const message = error instanceof UsageError ? error.message : String((error as Error).stack ?? error);
    tell({ type: 'failed', message, usage: error instanceof UsageError });
  }
}

const progress: StartProgress = (title, total) => {
  tell({ type: 'start', title, total });
  return {
    step: (label) => {
      tell({ type: 'step', label });
    },
    stop: () => {
      tell({ type: 'stop' });
    },
  };
};

function tell(told: Told): void {
  process.send?.(told);
}
