import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, writeFileAtomic } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { formatCase, type CaseFile } from './case-file';
import type { Networks } from '../problems/index';
import type { KeptDiagnosis } from './diagnose-saved';
import type { Shrunk } from './shrink';
import type { Versions } from './versions';

/** Where a failure comes from. */
export interface Origin {
  readonly id: string;
  readonly side: CaseFile['side'];
  readonly versions: Versions;
  readonly seed: number;
  /** of a problem of `fuzz`: its number and its own seed */ readonly index?: number;
  readonly caseSeed?: number;
  readonly networks?: Networks;
  readonly diagnosis?: KeptDiagnosis | undefined;
}

/**
 * Writes the case file of a failure, `SEED-INDEX-SIDE.json` or `SEED-ID-SIDE.json`, without overwriting a file that exists.
 *
 * @returns its path
 * @throws UsageError when it cannot be written
 */
export async function keepCase(
  out: string,
  { problem, finding, shrinking }: Shrunk,
  { caseSeed, diagnosis, ...origin }: Origin,
): Promise<string> {
  const { path, ...search } = shrinking;
  const text = formatCase({
    ...origin,
    ...(diagnosis && { diagnosis }),
    ...(caseSeed !== undefined && { fastCheck: { seed: caseSeed, path } }),
    shrinking: search,
    verdict: finding.verdict,
    problem,
    reference: finding.examination?.reference,
    given: finding.examination?.results?.answer,
  });
  const { seed, index, id, side } = origin;
  // a candidate's name may be longer than a file's
  const name = `${seed}-${index ?? id}-${side.name}`.replace(/[^\w.-]+/g, '-').slice(0, 120);
  let file: string | undefined;
  try {
    await makeDirectory(out);
    file = await reserve(join(out, name));
    await writeFileAtomic(file, `${text}\n`);
    return file;
  } catch (error) {
    if (file !== undefined) await rm(file, { force: true }).catch(() => undefined);
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `the case ${name}.json cannot be written to ${out}: ${(error as Error).message}; choose another directory with --out.`,
      { cause: error },
    );
  }
}

/** An unused name, reserved by an empty file: two shards may write to one directory. */
async function reserve(base: string): Promise<string> {
  for (let copy = 1; ; copy++) {
    const file = copy === 1 ? `${base}.json` : `${base}-${copy}.json`;
    try {
      await (await open(file, 'wx')).close();
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
