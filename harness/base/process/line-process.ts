import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseAnswer, type OperationTable, type WireAnswer } from './protocol';

/** How to start a child process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** added to this process's environment; undefined removes a variable */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The child answered with an error, died, or did not answer in time. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
  constructor(
    message: string,
    /** it cannot run on this machine at all */ readonly absent = false,
    /** its process is gone */ readonly gone = false,
    /** it works, and does not have what was asked for */ readonly refused = false,
  ) {
    super(message);
  }
}

interface Waiting {
  readonly id: number;
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (failure: ChildFailure) => void;
}

/** What is kept of a child's stderr, to say why it died. */
const keptLines = 12;

/** The parent's end of one child process: one request at a time, one answer each. */
export class LineProcess<Operations extends OperationTable<Operations>> {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly exited: Promise<void>;
  private readonly noise: string[] = [];
  private waiting: Waiting | undefined;
  private failure: ChildFailure | undefined;
  private lastId = 0;

  constructor(launch: Launch) {
    const env = { ...process.env, ...launch.env };
    this.child = spawn(launch.command, launch.args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    createInterface({ input: this.child.stdout, crlfDelay: Infinity }).on('line', (line) =>
      this.receive(line),
    );
    createInterface({ input: this.child.stderr, crlfDelay: Infinity }).on('line', (line) => this.keep(line));
    // A write after the child's death fails on the stream too; 'close' below reports it once.
    this.child.stdin.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.fail(new ChildFailure(`${launch.command} did not start: ${error.message}`, true, true));
        resolve();
      });
      this.child.once('close', (code, signal) => {
        this.fail(new ChildFailure(this.obituary(code, signal), false, true));
        resolve();
      });
    });
  }

  /**
   * Sends one request and waits for its answer.
   *
   * @param milliseconds the child is ended when it has not answered by then
   * @throws ChildFailure
   */
  async request<K extends keyof Operations & string>(
    op: K,
    request: Operations[K]['request'],
    milliseconds: number,
  ): Promise<Operations[K]['result']> {
    if (this.failure !== undefined) throw this.failure;
    const id = ++this.lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<WireAnswer>((resolve, reject) => {
        this.waiting = { id, resolve, reject };
        timer = setTimeout(() => {
          this.fail(new ChildFailure(`did not answer "${op}" within ${milliseconds / 1000} s`, false, true));
          this.child.kill('SIGKILL');
        }, milliseconds);
        this.child.stdin.write(`${JSON.stringify({ id, op, ...request })}\n`);
      });
      if ('error' in answer) {
        const { message, absent, refused } = answer.error;
        throw new ChildFailure(message, absent, false, refused);
      }
      return answer.result;
    } finally {
      clearTimeout(timer);
      this.waiting = undefined;
    }
  }

  /** Ends the process: politely by ending its stdin, by force after a while. */
  async stop(milliseconds = 3000): Promise<void> {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), milliseconds);
    await this.exited;
    clearTimeout(timer);
  }

  private receive(line: string): void {
    const answer = parseAnswer(line);
    if (answer === undefined) this.keep(line);
    else if (answer.id === this.waiting?.id) this.waiting.resolve(answer);
  }

  private keep(line: string): void {
    if (line.trim() === '') return;
    this.noise.push(line);
    if (this.noise.length > keptLines) this.noise.shift();
  }

  private fail(failure: ChildFailure): void {
    this.failure ??= failure;
    this.waiting?.reject(this.failure);
  }

  private obituary(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`;
    const last =
      this.noise.length === 0 ? '' : `; its last lines on stderr were:\n    ${this.noise.join('\n    ')}`;
    return `its process ended with ${how}${last}`;
  }
}
