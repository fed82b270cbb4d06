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

/**
 * Runs command lines one after the other in one process of their own, which takes less time to start than a process for each.
 *
 * @returns for each its exit code, stdout and stderr
 */
export function runInOneProgram(
  lines: readonly (readonly string[])[],
  options?: Parameters<typeof runToEnd>[2],
): { readonly ended: readonly Ended[]; readonly err: string } {
  const script = `
    const { main } = require(${JSON.stringify(join(program, '..', 'main.js'))});
    (async () => {
      const ended = [];
      for (const args of ${JSON.stringify(lines)}) {
        const kept = { out: '', err: '' };
        process.stderr.write = (text) => ((kept.err += text), true);
        const code = await main(args, { out: (text) => void (kept.out += text), err: (text) => void (kept.err += text) });
        ended.push({ code, ...kept });
        console.log(JSON.stringify(ended.at(-1)));
      }
    })();`;
  const { out, err } = runToEnd(process.execPath, ['-e', script], options);
  const ended = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Ended);
  return { ended, err };
}
