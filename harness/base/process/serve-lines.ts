import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { OperationTable, WireAnswer, WireRequest } from './protocol';

/** What the child needs is not on this machine; the message says what to install. */
export class ChildAbsentError extends Error {
  override readonly name = 'ChildAbsentError';
}

/**
 * The child's end of the line protocol: answers requests, one line each, until the input ends. What `perform` throws is the answer's
 * error; a ChildAbsentError says that the child cannot run on this machine.
 */
export async function serveLines<Operations extends OperationTable<Operations>>(
  perform: (request: WireRequest<Operations>) => Promise<object> | object,
  input: Readable,
  output: Writable,
): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    output.write(`${JSON.stringify(await answerTo(line, perform))}\n`);
  }
}

async function answerTo<Operations extends OperationTable<Operations>>(
  line: string,
  perform: (request: WireRequest<Operations>) => Promise<object> | object,
): Promise<WireAnswer> {
  let id = -1;
  try {
    const request = JSON.parse(line) as WireRequest<Operations>;
    id = request.id;
    return { id, result: await perform(request) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { id, error: { message, absent: error instanceof ChildAbsentError } };
  }
}
