import { spawnSync, type SpawnSyncOptionsWithStringEncoding } from 'node:child_process';
import { join } from 'node:path';

/** The command line as a program, which build-program.cjs made before the tests. */
export const program = join(__dirname, '..', '..', 'dist-test', 'harness', 'cli', 'bin.js');

export interface Ended {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: Omit<SpawnSyncOptionsWithStringEncoding, 'encoding'> = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return { code: status, out: stdout, err: stderr };
}

/** Runs `rnn-parity ARGS` in a process of its own. */
export const runProgram = (args: readonly string[], options?: Parameters<typeof runToEnd>[2]): Ended =>
  runToEnd(process.execPath, [program, ...args], options);
