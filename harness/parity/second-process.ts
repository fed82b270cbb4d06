import { join } from 'node:path';
import { childScript } from '../../src/index';
import type { AnySideName } from '../frameworks/index';
import type { FixedTolerance } from '../judge/index';
import { UsageError } from '../base/outcome';
import { ChildFailure, ChildLink } from '../base/process/index';
import type { Progress, StartProgress } from '../base/progress';
import type { Cases } from './cases';
import type { Collected } from './collected';

/** A side by its name, and whether the run must end with exit code 3 where this machine does not have it. */
export interface NamedSide {
  readonly name: AnySideName;
  readonly required: boolean;
}

/** What the process is to do. */
interface Order {
  readonly sides: readonly NamedSide[];
  readonly cases: Cases;
  readonly tolerance: FixedTolerance | undefined;
}

/** What it reports meanwhile. */
export type RunEvent =
  | { readonly type: 'start'; readonly title: string; readonly total: number }
  | { readonly type: 'step'; readonly label: string | undefined }
  | { readonly type: 'stop' };

export interface ApartOperations {
  run: { request: Order; result: { readonly found: readonly Collected[] }; event: RunEvent };
}

/** Sides at work in a process of their own. */
export interface SidesApart {
  readonly names: readonly AnySideName[];
  /** what each of them found, in that order */ readonly found: Promise<readonly Collected[]>;
  dispose(): void;
}

/**
 * Runs the cases on some sides in a second process, so that two cores are at work: one side uses one core only. Its findings are
 * the same as here, because the verdict on a side does not depend on any other side.
 *
 * @returns at once; `found` is rejected with what the process failed by, and when it ends too soon
 */
export function startSidesApart(order: Order, start: StartProgress): SidesApart {
  const child = new ChildLink<ApartOperations>({
    command: process.execPath,
    args: childScript(join(__dirname, 'second-process-child')),
    channel: 'messages',
  });
  const names = order.sides.map(({ name }) => name);
  let progress: Progress | undefined;
  const follow = (event: RunEvent): void => {
    if (event.type === 'start') progress = start(event.title, event.total);
    else if (event.type === 'step') progress?.step(event.label);
    else progress?.stop();
  };
  const found = child.request('run', order, Infinity, follow).then(
    (result) => result.found,
    (error: unknown) => {
      progress?.stop();
      if (!(error instanceof ChildFailure)) throw error;
      const { answered, ended = '' } = error;
      if (answered?.name === 'UsageError') throw new UsageError(answered.message);
      if (answered !== undefined) throw new Error(answered.stack ?? answered.message);
      throw new Error(
        `the process of ${names.join(', ')} ended ${ended} before it was done; run these sides alone: --backends ${names.join()}.`,
      );
    },
  );
  // whoever waits for it hears of it; until then it is no unhandled one
  found.catch(() => undefined);
  return { names, found, dispose: child.kill };
}
