import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isAnswer, parseAnswer, type OperationTable, type WireAnswer, type WireError } from './protocol';

/** How to start a child process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** added to this process's environment; undefined removes a variable */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** how requests and answers travel (protocol.ts); default lines */ readonly channel?: 'lines' | 'messages';
  /** whether the processes that it starts end with it: it gets a group of its own; default false */ readonly group?: boolean;
}

/** The child answered with an error, died, or did not answer in time. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
  /** it cannot run on this machine at all */ readonly absent: boolean = false;
  /** it works, and does not have what was asked for */ readonly refused: boolean = false;
  /** how its process ended, for a sentence about it: `with exit code 1`, `by SIGKILL` */ readonly ended?: string;
  /** it was ended because it did not answer in time */ readonly late: boolean = false;
  /** the error that the child answered with */ readonly answered?: WireError;

  constructor(
    message: string,
    how: Partial<Pick<ChildFailure, 'absent' | 'refused' | 'ended' | 'late' | 'answered'>> = {},
  ) {
    super(message);
    Object.assign(this, how);
  }

  /** its process is gone */
  get gone(): boolean {
    return this.ended !== undefined;
  }
}

interface Waiting {
  readonly id: number;
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (failure: ChildFailure) => void;
  readonly onEvent: (event: never) => void;
}

/** What ends each child that runs. */
const alive = new Map<ChildProcess, () => void>();

/** One listener for all children, however many there are. */
function endWithThisProcess(child: ChildProcess, kill: () => void): void {
  if (!process.listeners('exit').includes(endAll)) process.on('exit', endAll);
  alive.set(child, kill);
  child.once('close', () => alive.delete(child));
}

function endAll(): void {
  for (const kill of alive.values()) kill();
}

/** Gives a function that ends a child at once, and the child's group where it has one. It does nothing once the child has exited. */
function killerOf(child: ChildProcess, group: boolean): () => void {
  const { pid } = child;
  let isOver = false;
  const kill = (): void => {
    if (isOver) return;
    try {
      if (group && pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // nothing of the group is left
    }
    child.kill('SIGKILL');
  };
  // afterwards its number may belong to another process
  child.once('exit', () => {
    if (group) kill();
    isOver = true;
  });
  return kill;
}

/** What is kept of a child's stderr, to say why it died. */
const keptLines = 12;

/** The parent's end of one child process: one request after the other, one answer each. */
export class ChildLink<Operations extends OperationTable<Operations>> {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly noise: string[] = [];
  private readonly send: (request: object) => void;
  private waiting: Waiting | undefined;
  private failure: ChildFailure | undefined;
  private lastId = 0;
  /** the request before, which has to be answered first */ private last: Promise<unknown> =
    Promise.resolve();

  /** Ends the process at once. */ readonly kill: () => void;

  constructor({ command, args, env, channel = 'lines', group = false }: Launch) {
    // Windows has no groups
    const detached = group && process.platform !== 'win32';
    const options = { env: { ...process.env, ...env }, windowsHide: true, detached };
    if (channel === 'messages') {
      // its standard output joins our standard error: standard output belongs to the result
      this.child = spawn(command, args, {
        ...options,
        stdio: ['ignore', 2, 2, 'ipc'],
        serialization: 'advanced',
      });
      this.child.on('message', (message: unknown) => this.take(message));
      this.send = (request) =>
        this.child.send(request, (error) => {
          // a process that has just died reports that itself ('close'); one that lives and has closed its channel does not
          if (error !== null)
            setTimeout(() => this.end(`because it takes no messages: ${error.message}`), 1000).unref();
        });
    } else {
      const child = spawn(command, args, { ...options, stdio: 'pipe' });
      createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => this.receive(line));
      createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (line) => this.keep(line));
      // A write after the child's death fails on the stream too; 'close' below reports it once.
      child.stdin.on('error', () => undefined);
      this.child = child;
      this.send = (request) => void child.stdin.write(`${JSON.stringify(request)}\n`);
    }
    this.kill = killerOf(this.child, detached);
    endWithThisProcess(this.child, this.kill);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        const ended = `because it could not run: ${error.message}`;
        this.fail(new ChildFailure(`${command} did not start: ${error.message}`, { absent: true, ended }));
        resolve();
      });
      this.child.once('close', (code, signal) => {
        this.end(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`);
        resolve();
      });
    });
  }

  /**
   * Sends one request, after the answer to the one before, and waits for its answer.
   *
   * @param milliseconds the child is ended when it has not answered by then
   * @param onEvent is called with what the child reports meanwhile
   * @throws ChildFailure
   */
  request<K extends keyof Operations & string>(
    op: K,
    request: Operations[K]['request'],
    milliseconds: number,
    onEvent: (event: NonNullable<Operations[K]['event']>) => void = () => undefined,
  ): Promise<Operations[K]['result']> {
    const answer = this.last.then(() => this.ask(op, request, milliseconds, onEvent));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async ask(
    op: string,
    request: object,
    milliseconds: number,
    onEvent: (event: never) => void,
  ): Promise<object> {
    if (this.failure !== undefined) throw this.failure;
    const id = ++this.lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<WireAnswer>((resolve, reject) => {
        this.waiting = { id, resolve, reject, onEvent };
        if (Number.isFinite(milliseconds))
          timer = setTimeout(() => {
            const message = `did not answer "${op}" within ${milliseconds / 1000} s`;
            this.fail(new ChildFailure(message, { late: true, ended: 'because it did not answer in time' }));
            this.kill();
          }, milliseconds);
        this.send({ id, op, ...request });
      });
      if ('result' in answer) return answer.result;
      const { message, absent = false, refused = false } = answer.error;
      throw new ChildFailure(message, { absent, refused, answered: answer.error });
    } finally {
      clearTimeout(timer);
      this.waiting = undefined;
    }
  }

  /** Ends the process: politely by ending its input, by force after a while. */
  async stop(milliseconds = 3000): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    this.child.stdin?.end();
    const timer = setTimeout(this.kill, milliseconds);
    await this.exited;
    clearTimeout(timer);
  }

  private receive(line: string): void {
    const message = parseAnswer(line);
    if (message === undefined) this.keep(line);
    else this.take(message);
  }

  private take(message: unknown): void {
    if (!isAnswer(message) || message.id !== this.waiting?.id) return;
    if ('event' in message) this.waiting.onEvent(message.event as never);
    else this.waiting.resolve(message);
  }

  private keep(line: string): void {
    if (line.trim() === '') return;
    this.noise.push(line);
    if (this.noise.length > keptLines) this.noise.shift();
  }

  private end(ended: string): void {
    const lines = this.noise.join('\n    ');
    const last = lines === '' ? '' : `; its last lines on stderr were:\n    ${lines}`;
    this.fail(new ChildFailure(`its process ended ${ended}${last}`, { ended }));
  }

  private fail(failure: ChildFailure): void {
    this.failure ??= failure;
    this.waiting?.reject(this.failure);
  }
}
