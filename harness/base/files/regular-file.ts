import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '../outcome';

/**
 * Refuses everything that is not a regular file, before anything opens it: opening a named pipe without a writer blocks for ever,
 * and a device such as /dev/zero never ends. A link to a regular file passes.
 *
 * @param absent what to do where there is no such file
 * @returns the file's size in bytes
 * @throws UsageError that says what the path is
 */
export async function checkRegularFile(
  file: string,
  absent = 'check the path and the permissions',
): Promise<number> {
  let found: Stats;
  try {
    found = await stat(file);
  } catch (error) {
    throw unreadable(file, error, absent);
  }
  if (found.isFile()) return found.size;
  throw new UsageError(
    `${file} is ${kindOf(found)}; a regular file was expected, so write the content to a file first and give its path.`,
  );
}

/**
 * Reads a whole regular file.
 *
 * @throws UsageError when the path is not a regular file or cannot be read
 */
export async function readRegularFile(file: string): Promise<Buffer> {
  await checkRegularFile(file);
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/**
 * The text of bytes that are to be UTF-8, without a byte order mark. Two names that differ would be one where bytes were replaced.
 *
 * @param where how the message calls the bytes
 * @throws UsageError with the first byte that is no UTF-8
 */
export function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const replaced = Buffer.from(Buffer.from(bytes).toString('utf8'));
    const at = bytes.findIndex((byte, i) => byte !== replaced[i]);
    const line = bytes.subarray(0, at).reduce((n, byte) => (byte === 10 ? n + 1 : n), 1);
    throw new UsageError(
      `${where}: line ${line} is not UTF-8 (byte ${bytes[at].toString(16)} at ${at}, counted from 0); save it as UTF-8.`,
      { cause: error },
    );
  }
}

/**
 * Reads a regular file as text in UTF-8.
 *
 * @throws UsageError when the path is not a regular file, cannot be read, or is not UTF-8
 */
export async function readTextFile(file: string): Promise<string> {
  return textOf(await readRegularFile(file), file);
}

/**
 * Reads a regular file as JSON.
 *
 * @param what what the file should be, for the message: `a case that rnn-parity fuzz wrote`
 * @throws UsageError when the path is not a regular file, cannot be read, or holds no JSON
 */
export async function readJsonFile(file: string, what: string): Promise<unknown> {
  const text = await readTextFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}; give ${what}.`, { cause: error });
  }
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a named pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

function unreadable(file: string, error: unknown, fix = 'check the path and the permissions'): UsageError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'does not exist (ENOENT)' : `cannot be read (${code ?? message})`;
  return new UsageError(`${file} ${reason}; ${fix}.`, { cause: error });
}
