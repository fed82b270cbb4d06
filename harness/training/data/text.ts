import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { UsageError } from '../../base/outcome';
import type { Notes } from './notes';

/** What the first bytes of a file can say. */
const signatures: readonly (readonly [encoding: string, ...bytes: number[]])[] = [
  ['utf-8', 0xef, 0xbb, 0xbf],
  ['utf-32', 0xff, 0xfe, 0, 0],
  ['utf-32', 0, 0, 0xfe, 0xff],
  ['utf-16le', 0xff, 0xfe],
  ['utf-16be', 0xfe, 0xff],
];
const binary: readonly (readonly [what: string, ...bytes: number[]])[] = [
  ['a zip archive (an Excel workbook?)', 0x50, 0x4b, 3, 4],
  ['an old Excel workbook', 0xd0, 0xcf, 0x11, 0xe0],
  ['compressed by gzip', 0x1f, 0x8b],
  ['a Parquet file', 0x50, 0x41, 0x52, 0x31],
];

const chunks = (file: string): AsyncIterable<Buffer> => createReadStream(file, { highWaterMark: 1 << 18 });

/**
 * Decodes a text file piece by piece, strictly: bytes that are not text of the encoding are refused, never replaced.
 *
 * The encoding is the one that is named, else that of the byte order mark, else UTF-8. The mark itself is not part of the text.
 *
 * @param encoding a label of the WHATWG Encoding Standard, as `TextDecoder` knows them
 * @throws UsageError with line and byte of what cannot be decoded
 */
export async function* decodeText(
  file: string,
  encoding: string | undefined,
  notes: Notes,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let line = 1;
  let count = 0;
  const check = (text: string): string => {
    const at = text.indexOf('\0');
    if (at >= 0)
      throw new UsageError(
        `${file}: line ${line + lineEnds(text.slice(0, at))} holds a NUL character; text has none, so it may be UTF-16 without a byte order mark (pass --encoding utf-16le) or no text at all.`,
      );
    line += lineEnds(text);
    return text;
  };
  const strict = async (bytes: Buffer | undefined): Promise<string> => {
    try {
      if (decoder === undefined) return '';
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw await undecodable(file, decoder?.encoding ?? 'utf-8', count);
    }
  };
  for await (const chunk of chunks(file)) {
    decoder ??= makeDecoder(file, chunk, encoding, notes);
    yield check(await strict(chunk));
    count++;
  }
  yield check(await strict(undefined));
}

function makeDecoder(file: string, start: Buffer, encoding: string | undefined, notes: Notes): TextDecoder {
  const starts = ([, ...bytes]: readonly [string, ...number[]]): boolean =>
    bytes.every((byte, i) => start[i] === byte);
  const kind = binary.find(starts)?.[0];
  if (kind !== undefined)
    throw new UsageError(`${file} is ${kind}, not text; save the table as CSV in UTF-8 and give that.`);
  const marked = signatures.find(starts)?.[0];
  if (marked === 'utf-32')
    throw new UsageError(
      `${file} starts with the byte order mark of UTF-32, which is not read; save it as UTF-8.`,
    );
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding ?? marked ?? 'utf-8', { fatal: true });
  } catch (error) {
    throw new UsageError(
      `--encoding ${encoding ?? ''} is not known; a label of the WHATWG Encoding Standard was expected, for example utf-8, windows-1252 (Western European), windows-1251, shift_jis, utf-16le.`,
      { cause: error },
    );
  }
  if (marked !== undefined && marked !== decoder.encoding)
    throw new UsageError(
      `${file} starts with the byte order mark of ${marked}, but --encoding says ${encoding ?? ''}; leave out --encoding, or pass --encoding ${marked}.`,
    );
  if (decoder.encoding !== 'utf-8')
    notes.say(
      `text is decoded as ${decoder.encoding} (${encoding === undefined ? 'its byte order mark says so' : `--encoding ${encoding}`})`,
    );
  return decoder;
}

/** The error about the first bytes that `encoding` cannot decode; they end in chunk number `failed`. */
async function undecodable(file: string, encoding: string, failed: number): Promise<UsageError> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  let offset = 0;
  let lineStart = 0;
  /** where the character begins that is being decoded */ let start = 0;
  let number = 0;
  const error = (bytes: string): UsageError =>
    new UsageError(
      `${file}: line ${line}, byte ${start - lineStart + 1} of the line (byte ${start} of the file, counted from 0): ${bytes} not ${encoding.toUpperCase()}; save the file as UTF-8, or name its encoding, for example --encoding windows-1252.`,
    );
  for await (const chunk of chunks(file)) {
    // The character may begin in the chunk before.
    if (number++ < failed - 1) {
      const text = decoder.decode(chunk, { stream: true });
      line += lineEnds(text);
      offset += chunk.length;
      if (text.includes('\n')) lineStart = offset - (chunk.length - chunk.lastIndexOf(10) - 1);
      start = offset;
      continue;
    }
    for (let i = 0; i < chunk.length; i++) {
      let text: string;
      try {
        text = decoder.decode(chunk.subarray(i, i + 1), { stream: true });
      } catch {
        const shown = chunk.subarray(Math.max(0, start - offset), i + 1).toString('hex');
        return error(`the bytes ${shown} (hexadecimal) are`);
      }
      if (text === '') continue;
      start = offset + i + 1;
      if (text.includes('\n')) {
        line++;
        lineStart = start;
      }
    }
    offset += chunk.length;
  }
  return error('the file ends inside a character, which is');
}

function lineEnds(text: string): number {
  let found = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) found++;
  return found;
}
