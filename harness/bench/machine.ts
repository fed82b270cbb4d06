import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Where a benchmark ran. */
export interface Machine {
  readonly cpu: string;
  /** logical processors that this process may use */ readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  /** average number of runnable processes over 1, 5 and 15 minutes, before the run; zeros on Windows */
  readonly loadAverage: readonly number[];
}

export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
    loadAverage: os.loadavg(),
  };
}

/** A load above a quarter of the cores disturbs every number; undefined when it is below. */
export function loadWarning({ loadAverage: [load], cores }: Machine): string | undefined {
  if (load <= cores / 4) return undefined;
  return `the machine is busy: load ${load.toFixed(2)} on ${cores} cores; expect slower and wider numbers, ratios are affected least`;
}

/** Processor seconds of the whole machine since it started. */
export interface CpuSeconds {
  readonly busy: number;
  readonly total: number;
}

/** Reads /proc/stat; undefined where it does not exist (not Linux). */
export function machineCpuSeconds(): CpuSeconds | undefined {
  try {
    const [first] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number);
    if (!first.startsWith('cpu ') || ticks.length < 4 || !ticks.every(Number.isFinite)) return undefined;
    // user nice system idle iowait irq softirq steal, in hundredths of a second
    const total = ticks.reduce((sum, tick) => sum + tick, 0);
    const idle = ticks[3] + (ticks[4] ?? 0);
    return { busy: (total - idle) / 100, total: total / 100 };
  } catch {
    return undefined;
  }
}

/**
 * Share of the machine that other processes used while we measured: (busy - own) / total, at least 0.
 *
 * @param own processor seconds of this process and its engines in between
 */
export function shareOfOthers(before: CpuSeconds, after: CpuSeconds, own: number): number {
  const total = after.total - before.total;
  return total <= 0 ? 0 : Math.max(0, (after.busy - before.busy - own) / total);
}
