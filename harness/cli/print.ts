import { fstatSync, writeSync } from 'node:fs';

/** Where a command's texts go. */
export interface Printer {
  out(text: string): Promise<void> | void;
  err(text: string): void;
}

/** Whoever read stdout has gone (`| head -1`): no error, the rest is not wanted. */
export class StdoutClosedError extends Error {
  override readonly name = 'StdoutClosedError';
}

/**
 * Prints on the standard streams of this process.
 *
 * A file on stdout is written here and not by Node's stream, which takes a short write on a full disk for a whole one.
 */
export const processPrinter: Printer = {
  out: async (text) => {
    try {
      if (isFileLike(1)) writeWhole(1, Buffer.from(text));
      else await writeStream(process.stdout, text);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new StdoutClosedError('stdout is closed', { cause: error });
      throw error;
    }
  },
  err: (text) => {
    process.stderr.write(text);
  },
};

/** Nothing can be reported about a stderr that is closed or full, and nothing else is lost by it. */
export function ignoreStreamErrors(): void {
  process.stderr.on('error', () => undefined);
  // the callback of the write that failed gets the error as well
  process.stdout.on('error', () => undefined);
}

function isFileLike(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || (stat.isCharacterDevice() && !process.stdout.isTTY);
  } catch {
    return false;
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function writeStream(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
