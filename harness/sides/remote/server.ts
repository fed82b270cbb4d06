import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** A report of a whole run has about 4 million bytes. */
const mostBytes = 64 * 2 ** 20;

/** What a page sends, by the last part of the path. The answer is the response's text; undefined is "nothing yet" (204). */
export type Handlers = Readonly<
  Record<string, (body: string) => Promise<string | undefined> | string | undefined>
>;

export interface PageServer {
  /** `http://127.0.0.1:PORT/SECRET/` */ readonly address: string;
  /** Waits until no request is under way, at most for so many milliseconds. */ settled(
    most: number,
  ): Promise<void>;
  close(): Promise<void>;
}

/** The page with what it is asked for in it. */
export function withConfig(html: string, config: object): string {
  const json = JSON.stringify(config).replaceAll('<', '\\u003c');
  return html.replace(
    /(<script type="application\/json" id="config">)\s*\{\}\s*/,
    (_, before: string) => before + json,
  );
}

/**
 * Serves the page on this machine only, at a port that is free, under a path that only the opened browser knows. Anything else is refused: another
 * path (404), another Host or Origin (403: a page from elsewhere whose name was made to point here), a body that is too large (413).
 */
export async function servePage(html: string, config: object, handlers: Handlers): Promise<PageServer> {
  const secret = randomBytes(16).toString('hex');
  const page = withConfig(html, config);
  let underWay = 0;
  const server = createServer((request, response) => {
    underWay++;
    void answerTo(request)
      .then(({ status, type, text, headers }) => {
        response.writeHead(status, { 'content-type': type, ...headers });
        response.end(text);
      })
      .catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      })
      .finally(() => underWay--);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const { headers, method = 'GET', url = '/' } = request;
    const origin = headers.origin ?? `http://${host}`;
    if (headers.host !== host || origin !== `http://${host}`) return refused(403, 'another host');
    const prefix = `/${secret}/`;
    const name = url.slice(prefix.length);
    if (!url.startsWith(prefix)) return refused(404, 'not found');
    if (name === '' && method === 'GET')
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        text: page,
        headers: { 'cache-control': 'no-store' },
      };
    if (method !== 'POST' || !Object.hasOwn(handlers, name)) return refused(404, 'not found');
    const body = await bodyOf(request);
    if (body === undefined) return refused(413, `more than ${mostBytes} bytes`);
    const text = await handlers[name](body);
    return { status: text === undefined ? 204 : 200, type: 'application/json', text };
  }

  return {
    address: `http://${host}/${secret}/`,
    settled: async (most) => {
      const end = performance.now() + most;
      do await setTimeout(20);
      while (underWay > 0 && performance.now() < end);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const refused = (status: number, reason: string): Answer => ({
  ...{ status, type: 'text/plain', text: `${reason}\n` },
  headers: { connection: 'close' },
});

/** Undefined where it is too large; the rest of it is not read then. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** A promise that is settled from outside: what a page sends arrives in a handler of the server. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Promise.withResolvers, which Node has from version 22 on. */
export function deferred<T>(): Deferred<T> {
  const settle: Partial<Pick<Deferred<T>, 'resolve' | 'reject'>> = {};
  const promise = new Promise<T>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return { promise, ...(settle as Pick<Deferred<T>, 'resolve' | 'reject'>) };
}
