import { readdirSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(__dirname, '..', 'fixtures', 'frameworks');

/** What test/fixtures/frameworks/record.ts recorded. */
export function recordedAnswers(): { readonly framework: 'keras' | 'torch'; readonly name: string }[] {
  return readdirSync(folder).flatMap((file) => {
    const found = /^(keras|torch)-(.+)\.json$/.exec(file);
    return found === null ? [] : [{ framework: found[1] as 'keras' | 'torch', name: found[2] }];
  });
}

/** Runs work with a Python that answers as the recorded framework did. */
export async function withRecorded<T>(
  framework: 'keras' | 'torch',
  name: string,
  work: (python: string) => Promise<T>,
): Promise<T> {
  return withAnswers(path.join(folder, `${framework}-${name}.json`), work);
}

/** The file of what a framework answered about the problems of `frameworkProblems`. */
export const problemAnswers = (framework: string): string => path.join(folder, `parity-${framework}.json`);

/** Runs work with a Python that gives the answers in a file, one after the other. */
export async function withAnswers<T>(file: string, work: (python: string) => Promise<T>): Promise<T> {
  process.env['ANSWERS'] = file;
  try {
    return await work(path.join(folder, 'fake-python.cjs'));
  } finally {
    delete process.env['ANSWERS'];
  }
}
