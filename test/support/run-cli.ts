import { main } from '../../harness/cli/main';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process and keeps what it prints. Progress goes to the process's own stderr. */
export async function runCli(args: readonly string[]): Promise<Ran> {
  const kept = { stdout: '', stderr: '' };
  const exitCode = await main(args, {
    out: (text) => void (kept.stdout += text),
    err: (text) => void (kept.stderr += text),
  });
  return { exitCode, ...kept };
}
