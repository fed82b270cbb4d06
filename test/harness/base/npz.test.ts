import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yazl from 'yazl';
import {
  formatNpy,
  formatNpz,
  isStringArray,
  numbersOf,
  readNpz,
  weightsArchive,
  writeNpz,
} from '../../../harness/base/files/index';
import { UsageError } from '../../../harness/base/outcome';
import { program, runToEnd } from '../../support/program';
import { execFileSync } from 'node:child_process';

const fixtures = join(__dirname, '../../fixtures/npz');
const list = (data: ArrayLike<unknown>): unknown[] => Array.from(data);

async function zipOf(entries: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, bytes] of Object.entries(entries)) zip.addBuffer(bytes, name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Resolves to the refusal's message; anything but a UsageError fails the test. */
async function refusal(source: string | Uint8Array, maxBytes?: number): Promise<string> {
  try {
    await readNpz(source, maxBytes === undefined ? {} : { maxBytes });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('was read without complaint');
}

function npyWith(header: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), body]);
}

describe('npz', () => {
  it("reads every kind of array that numpy's savez_compressed wrote", async () => {
    const arrays = await readNpz(join(fixtures, 'kinds.npz'));
    expect(arrays.size).to.equal(30);
    for (const [name, array] of arrays) {
      if (/_f[248]$|_i[248]$|^i1$/.test(name)) expect(list(array.data), name).to.eql([-2, -1, 0, 1, 2, 3]);
      if (/_u[248]$|^u1$/.test(name)) expect(list(array.data), name).to.eql([0, 1, 2, 3, 4, 5]);
      if (name.endsWith('_text') && name !== 'fortran_text')
        expect(array.data, name).to.eql(['null', 'éi', '😀 z']);
    }
    const data = (name: string): unknown => list(arrays.get(name)?.data ?? []);
    expect(data('bool')).to.eql([0, 1, 0, 1, 0, 1]);
    expect(data('bytes')).to.eql(['a', 'bcd']);
    expect(arrays.get('scalar')).to.deep.include({ shape: [], dtype: '<f8' });
    expect(data('scalar')).to.eql([2.5]);
    expect(arrays.get('empty')?.shape).to.eql([0, 3]);
    expect(arrays.get('fortran')?.shape).to.eql([2, 3, 4]);
    expect(data('fortran')).to.eql(Array.from({ length: 24 }, (_, i) => i));
    expect(data('fortran_text')).to.eql(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(data('half_edges')).to.eql(
      [0, -0, 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, NaN].map((x, i) =>
        i === 3 ? 1023 / 2 ** 24 : x,
      ),
    );
  });

  it('writes .npy byte for byte as numpy does', async () => {
    const bytes = await readFile(join(fixtures, 'plain.npy'));
    const array = { shape: [2, 2], data: [1.5, -2, 0.1, 3e300] };
    expect(formatNpy(array, 'x').equals(bytes)).to.equal(true);
    const read = (await readNpz(await zipOf({ 'x.npy': bytes }))).get('x');
    expect(list(read?.data ?? [])).to.eql(array.data);
  });

  it('round-trips numbers bit for bit and text, with equal bytes for equal contents', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'npz-'));
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(
            fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
            fc.array(fc.double(), { maxLength: 20 }),
          ),
          fc.array(
            fc.string({ unit: 'grapheme' }).filter((text) => !text.endsWith('\0')),
            { minLength: 1, maxLength: 5 },
          ),
          async (numbers, texts) => {
            const entries = {
              ...Object.fromEntries(
                Object.entries(numbers).map(([k, data]) => [`n_${k}`, { shape: [data.length], data }]),
              ),
              texts: { shape: [texts.length], data: texts },
            };
            const file = join(folder, 'a.npz');
            await writeNpz(file, entries);
            const back = await readNpz(file);
            expect([...back.keys()].sort()).to.eql(Object.keys(entries).sort());
            for (const [name, { shape, data }] of Object.entries(entries)) {
              expect(back.get(name)?.shape).to.eql(shape);
              expect(list(back.get(name)?.data ?? [])).to.eql(data);
            }
            expect((await formatNpz(entries)).equals(await readFile(file))).to.equal(true);
          },
        ),
        { numRuns: 50 },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('keeps int64 and float32 as asked and refuses integers that float64 cannot hold', async () => {
    const bytes = await formatNpz({
      long: { shape: [2], data: [2 ** 53 - 1, -5], dtype: '<i8' },
      single: { shape: [1], data: Float32Array.of(0.1) },
    });
    const arrays = await readNpz(bytes);
    expect(list(numbersOf(arrays, 'long', 1, 'x').data)).to.eql([2 ** 53 - 1, -5]);
    expect(arrays.get('single')?.dtype).to.equal('<f4');
    const big = Buffer.alloc(8);
    big.writeBigInt64LE(2n ** 53n + 1n);
    const header = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}";
    expect(await refusal(await zipOf({ 'a.npy': npyWith(header, big) }))).to.match(/9007199254740993.*2\^53/);
  });

  it('refuses what it cannot read with the entry and the reason', async () => {
    const header = (text: string, body = Buffer.alloc(8)): Promise<Buffer> =>
      zipOf({ 'a.npy': npyWith(text, body) });
    const cases: [string | Uint8Array | Promise<Buffer>, RegExp][] = [
      [join(fixtures, 'pickled.npz'), /inputs\.npy is an array of Python objects.*pickle/],
      ['/nonexistent.npz', /does not exist \(ENOENT\)/],
      [tmpdir(), /is a directory; a regular file was expected/],
      ['/dev/zero', /is a device; a regular file was expected/],
      [Buffer.from('PK'), /not a sound \.npz/],
      [zipOf({}), /holds no array/],
      [zipOf({ 'a.txt': Buffer.alloc(3) }), /"a\.txt".*\.npy arrays only/],
      [zipOf({ 'a.npy': Buffer.alloc(3) }), /magic/],
      [
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        /8000000000000 bytes, but 8 bytes/,
      ],
      [
        header("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}", Buffer.alloc(0)),
        /dtype "<U0"/,
      ],
      [header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}"), /dtype "<c8"/],
      [header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}"), /structured/],
      [header("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"), /twice/],
      [header("{'descr': '<f8', 'shape': (1,)}"), /lacks/],
      [header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), /not understood/],
      [header("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}"), /not understood/],
    ];
    for (const [source, message] of cases) expect(await refusal(await source)).to.match(message);
    expect(await refusal(join(fixtures, 'kinds.npz'), 1000)).to.match(
      /takes \d+ bytes of memory.*beyond the limit of 1000/,
    );
    expect(() => numbersOf(new Map(), 'inputs', 3, 'f.npz')).to.throw(UsageError, /no array "inputs"/);
  });

  it('reads bytes as UTF-8 and refuses what is not', async () => {
    const dtypeS = (texts: readonly Buffer[]): Promise<Buffer> =>
      zipOf({
        'labels.npy': npyWith(
          `{'descr': '|S6', 'fortran_order': False, 'shape': (${texts.length},)}`,
          Buffer.concat(texts.map((text) => Buffer.concat([text, Buffer.alloc(6 - text.length)]))),
        ),
      });
    const read = await readNpz(await dtypeS([Buffer.from('café'), Buffer.from('thé')]));
    expect(read.get('labels')?.data).to.eql(['café', 'thé']);
    expect(await refusal(await dtypeS([Buffer.from('a'), Buffer.from('caf\xe9', 'latin1')]))).to.match(
      /labels\.npy: element \[1\] holds the bytes 636166e9 .*not UTF-8.*np\.char\.decode/,
    );
  });

  it('refuses a named pipe instead of waiting for a writer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'npz-'));
    try {
      const pipe = join(folder, 'a.npz');
      execFileSync('mkfifo', [pipe]);
      expect(await refusal(pipe)).to.match(/is a named pipe; a regular file was expected/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('takes about the memory of what it reads, whatever the type', async () => {
    const count = 2 ** 24;
    const folder = await mkdtemp(join(tmpdir(), 'npz-'));
    try {
      for (const [dtype, bytes] of [
        ['<f8', 8],
        ['<i2', 2],
      ] as const) {
        const header = `{'descr': '${dtype}', 'fortran_order': True, 'shape': (2, ${count / 2})}`;
        const file = join(folder, 'a.npz');
        await writeFile(file, await zipOf({ 'a.npy': npyWith(header, Buffer.alloc(count * bytes)) }));
        const script = `
          const { readNpz } = require(${JSON.stringify(join(program, '../../base/files/index.js'))});
          const before = process.memoryUsage().rss;
          readNpz(${JSON.stringify(file)}).then((arrays) => {
            console.log(arrays.get('a').data.length, process.resourceUsage().maxRSS * 1024 - before);
          });`;
        const { out } = runToEnd(process.execPath, ['-e', script]);
        const [numbers, memory] = out.split(' ').map(Number);
        expect(numbers).to.equal(count);
        // a program takes some 70 MB besides; a second copy would be 128 MB
        expect(memory).to.be.below(8 * count + 2 ** 27);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('decodes numbers that the chunks of a stream cut anywhere', async () => {
    const odd = Array.from({ length: 30_011 }, (_, i) => i / 7);
    const single = Float32Array.from(odd);
    const compressed = await zipOf({
      'a.npy': formatNpy({ shape: [odd.length], data: odd }, 'a'),
      'b.npy': formatNpy({ shape: [odd.length], data: single }, 'b'),
    });
    const back = await readNpz(compressed);
    expect(list(back.get('a')?.data ?? [])).to.eql(odd);
    expect(list(back.get('b')?.data ?? [])).to.eql(list(single));
  });

  it('limits weights and vectors by what the header says, before memory is taken', async () => {
    const count = 2 ** 24;
    const header = `{'descr': '|i1', 'fortran_order': False, 'shape': (${count},)}`;
    const bomb = await zipOf({ 'a.npy': npyWith(header, Buffer.alloc(count)) });
    expect(bomb.length).to.be.lessThan(2 ** 15);
    expect((await readNpz(bomb)).get('a')?.data.length).to.equal(count);
    try {
      await readNpz(bomb, weightsArchive);
      expect.fail('was read without complaint');
    } catch (error) {
      expect(error).to.be.instanceOf(UsageError);
      expect((error as Error).message).to.match(
        /"a\.npy" takes 134217728 bytes of memory.*more than 64 times the \d+ bytes of the file/,
      );
    }
  });

  it('finds a flipped byte in the numbers by the checksum', async () => {
    const bytes = await formatNpz({ inputs: { shape: [3], data: [1, 2, 3] } });
    const at = bytes.indexOf(Buffer.from(Float64Array.of(2).buffer));
    bytes[at] ^= 1;
    expect(await refusal(bytes)).to.match(/checksum/);
  });

  it('answers any damage with a clear error or with the right arrays', async () => {
    const entries = {
      inputs: { shape: [2, 2], data: [1, 2, 3, 4] },
      labels: { shape: [2], data: ['a', '__proto__'] },
    };
    const sound = [await formatNpz(entries), await readFile(join(fixtures, 'kinds.npz'))];
    const folder = await mkdtemp(join(tmpdir(), 'npz-'));
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...sound),
          fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
          fc.option(fc.nat()),
          async (source, flips, cut) => {
            const bytes = Buffer.from(source);
            for (const [at, bits] of flips) bytes[at % bytes.length] ^= bits;
            const file = join(folder, 'damaged.npz');
            await writeFile(file, cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1)));
            const arrays = await readNpz(file).catch((error: unknown) => {
              expect(error).to.be.instanceOf(UsageError);
              expect((error as Error).message).to.contain('damaged.npz');
              return undefined;
            });
            const whole = await readNpz(source);
            // Names are not under the checksum; numbers are.
            for (const [name, array] of arrays ?? []) {
              const match = whole.get(name);
              if (match !== undefined) expect(list(array.data)).to.eql(list(match.data));
              if (isStringArray(array)) expect(array.data.every((x) => typeof x === 'string')).to.equal(true);
            }
          },
        ),
        { numRuns: 300 },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(({} as Record<string, unknown>).inputs).to.equal(undefined);
  });
});
