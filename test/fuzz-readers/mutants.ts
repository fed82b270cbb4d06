import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatZip, readZip } from '../../harness/base/files/index';
import { UsageError } from '../../harness/base/outcome';
import { openModelFile, writeModel } from '../../harness/models/index';
import { createRandom } from '../../scratch/index';
import { fixtureFiles, modelFixtures } from '../support/model-fixtures';

type Random = ReturnType<typeof createRandom>;

/** A model of one or more files; the first is opened. */
type Files = readonly (readonly [name: string, bytes: Buffer])[];

interface Format {
  readonly models: readonly Files[];
  /** one damaged copy */ readonly damage: (files: Files, random: Random) => Promise<Files>;
}

export const formatNames = ['keras', 'h5', 'tfjs', 'npz', 'safetensors', 'onnx'] as const;
export type FormatName = (typeof formatNames)[number];

/** Flips bytes, cuts, repeats, or puts in a hostile number. */
function damageBytes(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes);
  const at = (): number => random.integer(Math.max(out.length, 1));
  switch (random.integer(5)) {
    case 0:
      return out.subarray(0, at());
    case 1: {
      const from = at();
      return Buffer.concat([out.subarray(0, from), out.subarray(random.integer(from + 1))]);
    }
    case 2: {
      const [a, b] = [at(), at()];
      return out.fill([0xff, 0x7f, 0x80, 0x00][random.integer(4)], Math.min(a, b), Math.max(a, b));
    }
    case 3: {
      const start = at();
      return out.fill(0xff, start, Math.min(out.length, start + [1, 2, 4, 8][random.integer(4)]));
    }
    default:
      for (let i = random.integer(8); i >= 0; i--) if (out.length > 0) out[at()] ^= 1 << random.integer(8);
      return out;
  }
}

const hostile: readonly unknown[] = [
  ...[
    -1,
    0,
    0.5,
    1e15,
    2 ** 53,
    1e308,
    null,
    '',
    [],
    {},
    true,
    '../../etc/passwd',
    '/etc/passwd',
    '__proto__',
    'Lambda',
  ],
  [[[[[[[[]]]]]]]],
  { class_name: 'Lambda', config: { function: 'os.system' } },
  [2 ** 31, 2 ** 31],
];

/** Puts a hostile value somewhere into JSON, or nests it without end. */
function damageJson(text: string, random: Random): string {
  if (random.integer(40) === 0) return `${'['.repeat(100_000)}${text}`;
  const root = { root: JSON.parse(text) as unknown };
  let holder: Record<string, unknown> = root;
  let key = 'root';
  for (let depth = 1 + random.integer(12); depth > 0; depth--) {
    const value = holder[key];
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) break;
    holder = value as Record<string, unknown>;
    const keys = Object.keys(holder);
    key = keys[random.integer(keys.length)];
  }
  if (random.integer(4) === 0) Reflect.deleteProperty(holder, key);
  else holder[key] = hostile[random.integer(hostile.length)];
  return JSON.stringify(root.root ?? null);
}

const half = (random: Random): boolean => random.integer(2) === 0;

/** The archive's own bytes, or one of its entries, with checksums that are right again. */
async function damageZip([[name, bytes]]: Files, random: Random): Promise<Files> {
  if (half(random)) return [[name, damageBytes(bytes, random)]];
  const entries = [...(await readZip(bytes, name, () => true, { maxBytes: 2 ** 30, maxExpansion: 2000 }))];
  const at = random.integer(entries.length);
  const [entry, content] = entries[at];
  const isJson = entry.endsWith('.json') && half(random);
  const damaged = isJson
    ? Buffer.from(damageJson(content.toString('utf8'), random))
    : damageBytes(content, random);
  return [[name, await formatZip(entries.with(at, [entry, damaged]))]];
}

async function damageSafetensors([[name, bytes]]: Files, random: Random): Promise<Files> {
  if (half(random)) return [[name, damageBytes(bytes, random)]];
  const end = 8 + bytes.readUInt32LE(0);
  const header = Buffer.from(damageJson(bytes.toString('utf8', 8, end), random));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Promise.resolve([[name, Buffer.concat([length, header, bytes.subarray(end)])]]);
}

const damageOne = async (files: Files, random: Random): Promise<Files> => {
  const at = random.integer(files.length);
  const [name, bytes] = files[at];
  const isJson = name.endsWith('.json') && half(random);
  const damaged = isJson
    ? Buffer.from(damageJson(bytes.toString('utf8'), random))
    : damageBytes(bytes, random);
  return Promise.resolve(files.with(at, [name, damaged]));
};

const read = (file: string): [string, Buffer] => [file, readFileSync(path.join(modelFixtures, file))];
const ofExtension = (extension: string): Files[] => fixtureFiles(extension).map((file) => [read(file)]);

async function formatOf(name: FormatName): Promise<Format> {
  switch (name) {
    case 'keras':
      return { models: ofExtension('.keras'), damage: damageZip };
    case 'h5':
      return { models: ofExtension('.h5'), damage: damageOne };
    case 'npz': {
      const { files } = await writeModel(
        await openModelFile(path.join(modelFixtures, 'functional-states.keras')),
        'npz',
      );
      return { models: [...ofExtension('.state.npz'), [['own.npz', files.get('')!]]], damage: damageZip };
    }
    case 'safetensors':
      return { models: ofExtension('.safetensors'), damage: damageSafetensors };
    case 'onnx':
      return {
        models: fixtureFiles('.onnx').map((file) => [
          read(file),
          ...(file.includes('external') ? [read(file.replace('.onnx', '.data'))] : []),
        ]),
        damage: damageOne,
      };
    case 'tfjs': {
      const models = ['functional-states', 'embedding-bidirectional', 'autoencoder'].map(async (model) => {
        const { files } = await writeModel(
          await openModelFile(path.join(modelFixtures, `${model}.keras`)),
          'tfjs',
        );
        return [...files].toSorted(([a]) => (a === 'model.json' ? -1 : 1));
      });
      return { models: await Promise.all(models), damage: damageOne };
    }
  }
}

/** What opening damaged files came to. */
export interface Counts {
  opened: number;
  refused: number;
  /** ended with another error: a message for each */ readonly wrong: string[];
  slowestMs: number;
}

/**
 * Damages models of one format and opens them. A mutant must open, or be refused with a UsageError.
 *
 * @param onSlow gets the file of a mutant that took longer than 5 s
 */
export async function openMutants(
  name: FormatName,
  {
    mutants,
    seed,
    folder,
    onSlow,
  }: {
    readonly mutants: number;
    readonly seed: number;
    readonly folder: string;
    readonly onSlow?: (file: string) => void;
  },
): Promise<Counts> {
  const { models, damage } = await formatOf(name);
  const random = createRandom(seed);
  const counts: Counts = { opened: 0, refused: 0, wrong: [], slowestMs: 0 };
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < mutants; i++) {
    const files = await damage(models[random.integer(models.length)], random);
    for (const [file, bytes] of files) await writeFile(path.join(folder, file), bytes);
    const start = performance.now();
    const opened = path.join(folder, files[0][0]);
    try {
      await openModelFile(opened, { patience: 2 });
      counts.opened++;
    } catch (error) {
      if (error instanceof UsageError) counts.refused++;
      else counts.wrong.push(`${name}, mutant ${i}: ${String((error as Error).stack).slice(0, 600)}`);
    }
    const took = performance.now() - start;
    counts.slowestMs = Math.max(counts.slowestMs, took);
    if (took > 5000) onSlow?.(opened);
  }
  return counts;
}
