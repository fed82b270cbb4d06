import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describeThrown } from '../side-errors';
import type { OperationTable, WireAnswer, WireRequest } from './protocol';

/** What the child needs is not on this machine; the message says what to install. */
export class ChildAbsentError extends Error {
  override readonly name = 'ChildAbsentError';
}

/** What a child does with a request: what it throws is the answer's error; a ChildAbsentError says that it cannot run on this machine. */
type Perform<Operations extends OperationTable<Operations>> = (
  request: WireRequest<Operations>,
  report: (event: object) => void,
) => Promise<object> | object;

/** The child's end of the protocol by lines: answers requests, one line each, until the input ends. */
export async function serveLines<Operations extends OperationTable<Operations>>(
  perform: Perform<Operations>,
  input: Readable,
  output: Writable,
): Promise<void> {
  const send = (message: object): void => void output.write(`${JSON.stringify(message)}\n`);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() !== '')
      send(await answerTo(() => JSON.parse(line) as WireRequest<Operations>, perform, send));
  }
}

/** The child's end of the protocol by messages: answers requests until the parent is gone. */
export function serveMessages<Operations extends OperationTable<Operations>>(
  perform: Perform<Operations>,
): void {
  const send = (message: object): void => void process.send?.(message);
  process.on('message', (request: WireRequest<Operations>) => {
    void answerTo(() => request, perform, send).then(send);
  });
  process.on('disconnect', () => process.exit(0));
}

async function answerTo<Operations extends OperationTable<Operations>>(
  read: () => WireRequest<Operations>,
  perform: Perform<Operations>,
  send: (message: object) => void,
): Promise<WireAnswer> {
  let id = -1;
  try {
    const request = read();
    id = request.id;
    return { id, result: await perform(request, (event) => send({ id, event })) };
  } catch (error) {
    return { id, error: { ...describeThrown(error), absent: error instanceof ChildAbsentError } };
  }
}
