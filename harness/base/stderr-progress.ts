import { MultiBar } from 'cli-progress';
import type { Progress, StartProgress } from './progress';

/** A plain line at most this often where stderr is no terminal. */
const lineEveryMs = 5000;

/** A bar on a terminal; elsewhere a line now and then, and none at all for work that is over sooner. */
export const stderrProgress: StartProgress = (title, total) => {
  if (!process.stderr.isTTY) return plainLines(title, total);
  bars ??= new MultiBar({
    format: `{title} {bar} {value}/{total} {label}`,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 24,
    etaBuffer: 20,
  });
  const all = bars;
  const bar = all.create(total, 0, { title, label: '' });
  working++;
  return {
    step: (label = '') => {
      bar.increment(1, { label });
    },
    stop: () => {
      all.remove(bar);
      if (--working > 0) return;
      all.stop();
      bars = undefined;
    },
  };
};

/** One below the other while several pieces of work go on. */
let bars: MultiBar | undefined;
let working = 0;

function plainLines(title: string, total: number): Progress {
  let done = 0;
  let last = Date.now();
  return {
    step: (label = '') => {
      done++;
      if (Date.now() - last < lineEveryMs) return;
      last = Date.now();
      process.stderr.write(`${title}: ${done} of ${total}${label === '' ? '' : `, next ${label}`}\n`);
    },
    stop: () => undefined,
  };
}
