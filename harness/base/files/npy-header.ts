import { UsageError } from '../outcome';

/** What the header of a .npy array declares (numpy.lib.format, versions 1.0 to 3.0). */
export interface NpyHeader {
  /** numpy's code, for example `<f8` */ readonly dtype: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** where the numbers start */ readonly dataOffset: number;
}

const magic = '\x93NUMPY';
/** numpy's own limit */
export const maxHeader = 10_000;

/**
 * Reads the header with a grammar of its own: a dictionary literal with exactly the keys `descr`, `fortran_order` and `shape`.
 * Nothing is evaluated.
 *
 * @param bytes at least the first bytes of the array
 * @param where how messages call it, for example `a.npz: inputs.npy`
 */
export function parseNpyHeader(bytes: Buffer, where: string): NpyHeader {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 6) !== magic) {
    throw new UsageError(
      `${where} does not start with numpy's magic string; it is not a .npy array, so save it with numpy.save or numpy.savez.`,
    );
  }
  const major = bytes[6];
  const minor = bytes[7];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new UsageError(
      `${where} has .npy version ${major}.${minor}; versions 1.0, 2.0 and 3.0 are known, so save it with a current numpy.`,
    );
  }
  if (major > 1 && bytes.length < 12) throw new UsageError(`${where} ends inside its header; copy it again.`);
  const start = major === 1 ? 10 : 12;
  const length = major === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  if (length > maxHeader || start + length > bytes.length) {
    throw new UsageError(
      `${where} declares a header of ${length} bytes but only ${Math.max(bytes.length - start, 0)} follow (${maxHeader} are allowed); the file is cut or damaged, so copy it again.`,
    );
  }
  const text = bytes.toString(major === 3 ? 'utf8' : 'latin1', start, start + length);
  return { ...parseDictionary(text, where), dataOffset: start + length };
}

/** The header text of a C-ordered array, padded so that the numbers start at a multiple of 64 bytes. */
export function formatNpyHeader(dtype: string, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((dictionary.length + 1 + 10) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write(magic, 0, 'latin1');
  header.set([1, 0], 6);
  header.writeUInt16LE(length, 8);
  header.write(dictionary, 10, 'latin1');
  header[header.length - 1] = 0x0a;
  return header;
}

const item =
  /\s*'(descr|fortran_order|shape)'\s*:\s*(?:'([^'\\]{1,32})'|(True|False)|\(((?:\s*\d{1,16}L?\s*,?)*)\s*\))\s*(,|(?=\}))/y;

function parseDictionary(text: string, where: string): Omit<NpyHeader, 'dataOffset'> {
  const bad = (what: string): UsageError =>
    new UsageError(
      `${where}: the header ${JSON.stringify(text.trim().slice(0, 120))} ${what}; plain arrays of numbers or strings saved by numpy are read.`,
    );
  if (/'descr'\s*:\s*\[/.test(text)) throw bad('declares a structured array');
  const end = text.lastIndexOf('}');
  if (!text.startsWith('{') || end < 0 || text.slice(end + 1).trim() !== '') throw bad('is not a dictionary');
  let dtype: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  item.lastIndex = 1;
  while (item.lastIndex < end) {
    if (text.slice(item.lastIndex, end).trim() === '') break;
    const match = item.exec(text);
    if (match === null) throw bad('is not understood');
    const [, key, quoted, truth, sizes] = match as unknown as (string | undefined)[];
    if (key === 'descr' && quoted !== undefined && dtype === undefined) dtype = quoted;
    else if (key === 'fortran_order' && truth !== undefined && fortranOrder === undefined)
      fortranOrder = truth === 'True';
    else if (key === 'shape' && sizes !== undefined && shape === undefined) shape = parseShape(sizes, bad);
    else throw bad(`gives ${key ?? 'a key'} twice or with another kind of value`);
  }
  if (dtype === undefined || fortranOrder === undefined || shape === undefined)
    throw bad('lacks descr, fortran_order or shape');
  return { dtype, fortranOrder, shape };
}

function parseShape(text: string, bad: (what: string) => UsageError): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts[parts.length - 1] === '') parts.pop();
  const shape = parts.map((part) => (/^\d+L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  if (shape.length > 32 || shape.some((size) => !Number.isSafeInteger(size))) throw bad('has a wrong shape');
  return shape;
}
