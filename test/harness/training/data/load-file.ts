import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadData, type LoadOptions, type SequenceData } from '../../../../harness/training/data/index';
import { UsageError } from '../../../../harness/base/outcome';

/** Where the files of these tests are written; one process runs several test files, so that it goes when the process ends. */
const folder = mkdtempSync(join(tmpdir(), 'data-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Writes a file and loads it. */
export function load(
  name: string,
  content: string | Uint8Array,
  options?: LoadOptions,
): Promise<SequenceData> {
  const file = join(folder, name);
  writeFileSync(file, content);
  return loadData(file, options);
}

/** The message of the refusal; anything but a UsageError fails the test. */
export async function refusal(
  name: string,
  content: string | Uint8Array,
  options?: LoadOptions,
): Promise<string> {
  try {
    await load(name, content, options);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('was read without complaint');
}

export const rows = (data: SequenceData): number[] => Array.from(data.inputs.data);

/** What reading said, as one text. */
export const notes = (data: SequenceData): string => (data.notes ?? []).join('\n');

/** The class name of every sequence. */
export const labels = (data: SequenceData): string[] =>
  Array.from(data.labels ?? [], (label) => data.classNames[label]);
