import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { childScript } from '../../src/index';
import type { AnySideName } from '../frameworks/index';
import type { FixedTolerance } from '../judge/index';
import { UsageError } from '../base/outcome';
import type { Progress, StartProgress } from '../base/progress';
import type { Cases } from './cases';
import type { Collected } from './side-run';

/** A side by its name, and whether the run must end with exit code 3 where this machine does not have it. */
export interface NamedSide {
  readonly name: AnySideName;
  readonly required: boolean;
}

/** What the process is to do: one message. */
export interface Order {
  readonly sides: readonly NamedSide[];
  readonly cases: Cases;
  readonly tolerance: FixedTolerance | undefined;
}

/** What it says meanwhile; the last is `done` or `failed`. */
export type Told =
  | { readonly type: 'start'; readonly title: string; readonly total: number }
  | { readonly type: 'step'; readonly label: string | undefined }
  | { readonly type: 'stop' }
  | { readonly type: 'done'; readonly found: readonly Collected[] }
  | { readonly type: 'failed'; readonly message: string; readonly usage: boolean };

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
  const child = spawn(process.execPath, childScript(join(__dirname, 'second-process-child')), {
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  const names = order.sides.map(({ name }) => name);
  const found = new Promise<readonly Collected[]>((resolve, reject) => {
    const ended = (how: string): void => {
      reject(
        new Error(
          `the process of ${names.join(', ')} ended ${how} before it was done; run these sides alone: --backends ${names.join()}.`,
        ),
      );
    };
    let progress: Progress | undefined;
    child.on('message', (message) => {
      const told = message as Told;
      if (told.type === 'start') progress = start(told.title, told.total);
      else if (told.type === 'step') progress?.step(told.label);
      else if (told.type === 'stop') progress?.stop();
      else if (told.type === 'done') resolve(told.found);
      else reject(told.usage ? new UsageError(told.message) : new Error(told.message));
    });
    child.on('error', (error) => {
      ended(`because it could not run: ${error.message}`);
    });
    child.on('exit', (code, signal) => {
      progress?.stop();
      ended(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`);
    });
    child.send(order, (error) => {
      if (error !== null) ended(`because it takes no messages: ${error.message}`);
    });
  });
  // whoever waits for it hears of it; until then it is no unhandled one
  found.catch(() => undefined);
  return {
    names,
    found,
    dispose: () => {
      process.removeListener('exit', stop);
      stop();
    },
  };
}
