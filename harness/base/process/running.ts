import { readFileSync } from 'node:fs';

export interface ProcessName {
  readonly pid: number;
  /** when it started, where the system says so: process numbers are used again */ readonly started?: string;
}

/** Whether a process of this machine goes on; one that has ended does not, even if its parent has not waited for it yet. */
export function isRunning({ pid, started }: ProcessName): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const [state, now] = statOf(pid);
  return state !== 'Z' && (started === undefined || now === undefined || now === started);
}

/** When a process started, in ticks since the system did. */
export const startOf = (pid: number): string | undefined => statOf(pid).at(1);

/** State and start of a process, where the system says so (Linux: fields 3 and 22 of /proc/PID/stat). */
function statOf(pid: number): [state?: string, started?: string] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [fields[0], fields[19]];
  } catch {
    return [];
  }
}
