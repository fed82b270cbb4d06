import { spawn, type ChildProcess } from 'node:child_process';

export interface ToolResult {
  /** whether the program exists */ readonly found: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly cwd?: string;
  /** added to the environment */ readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMillis?: number;
}

const running = new Set<ChildProcess>();

/** Ends the programs that are running now. */
export function stopTools(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs a program to its end and keeps what it wrote; never throws for what the program does. */
export function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.timeoutMillis === undefined
        ? {}
        : { timeout: options.timeoutMillis, killSignal: 'SIGKILL' }),
    });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const end = (result: Pick<ToolResult, 'found' | 'code' | 'signal'>): void => {
      running.delete(child);
      resolve({ ...result, stdout, stderr });
    };
    child.on('error', () => end({ found: false, code: null, signal: null }));
    child.on('close', (code, signal) => end({ found: true, code, signal }));
  });
}

/** How a program ended, in words, with the line of its output that says most. */
export function endOf({ found, code, signal, stderr }: ToolResult): string {
  if (!found) return 'it could not be started';
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
  const end = signal === null ? `exit code ${String(code)}` : `killed by ${signal}`;
  return telling === undefined ? end : `${end}: ${telling}`;
}
