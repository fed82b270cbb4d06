// Runs in a process of its own: see second-process.ts.
import { serveMessages } from '../base/process/index';
import { anySideSource } from '../frameworks/index';
import { runSource } from './run-side';
import type { ApartOperations, RunEvent } from './second-process';
import type { Collected } from './collected';

serveMessages<ApartOperations>(async ({ sides, cases, tolerance }, report) => {
  const send = (event: RunEvent): void => report(event);
  const found: Collected[] = [];
  for (const { name, required } of sides)
    found.push(
      await runSource(anySideSource(name, required), cases, {
        tolerance,
        progress: (title, total) => {
          send({ type: 'start', title, total });
          return { step: (label) => send({ type: 'step', label }), stop: () => send({ type: 'stop' }) };
        },
      }),
    );
  return { found };
});
