import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatNames, openMutants } from './mutants';

/*
 * Damages model files and opens them:
 * npx jiti test/fuzz-readers/run.ts [mutants a format, default 5000] [seed, default 1] [formats, default all]
 * A mutant must open, or be refused with a UsageError. Exit code 1 where one ends otherwise; the counts are printed. Mutants that take
 * longer than 5 s are kept in the folder for temporary files, as slow-...
 */

const { build } = createRequire(__filename)('../support/build-program.cjs') as { build: () => void };

async function main(): Promise<void> {
  // the script of the HDF5 thread
  build();
  const [mutants = '5000', seed = '1', ...wanted] = process.argv.slice(2);
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-readers-'));
  let slow = 0;
  try {
    for (const name of formatNames.filter((one) => wanted.length === 0 || wanted.includes(one))) {
      const counts = await openMutants(name, {
        ...{ mutants: Number(mutants), seed: Number(seed), folder: path.join(folder, name) },
        onSlow: (file) => copyFileSync(file, path.join(tmpdir(), `slow-${++slow}-${path.basename(file)}`)),
      });
      const { opened, refused, wrong, slowestMs } = counts;
      const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
      for (const message of wrong.slice(0, 5)) console.log(message);
      console.log(
        `${name}: ${mutants} mutants, ${opened} opened, ${refused} refused, ${wrong.length} wrong, slowest ${Math.round(slowestMs)} ms, ${memory} MiB`,
      );
      if (wrong.length > 0) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
