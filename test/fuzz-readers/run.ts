import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../harness/base/outcome';
import { layersModelText, openModelFile, toLayersModel } from '../../harness/models/index';
import { createRandom } from '../../scratch/index';
import { fixtureFiles, modelFixtures } from '../support/model-fixtures';

/*
 * Damages model files and opens them: jiti test/fuzz-readers/run.ts [mutants a format, default 5000] [seed, default 1]
 * A mutant must open, or be refused with a UsageError. Exit code 1 where one ends otherwise; the counts are printed.
 */

const mutants = Number(process.argv[2] ?? 5000);
const seed = Number(process.argv[3] ?? 1);

/** Flips bytes, cuts, repeats, or puts in a hostile number. */
function damage(bytes: Buffer, random: ReturnType<typeof createRandom>): Buffer {
  const out = Buffer.from(bytes);
  const at = (): number => random.integer(out.length);
  switch (random.integer(5)) {
    case 0:
      return out.subarray(0, at());
    case 1: {
      const from = at();
      return Buffer.concat([out.subarray(0, from), out.subarray(random.integer(from + 1))]);
    }
    case 2: {
      const hostile = [0xff, 0x7f, 0x80, 0x00];
      out.fill(hostile[random.integer(hostile.length)], at(), at());
      return out;
    }
    case 3: {
      const start = at();
      out.fill(0xff, start, Math.min(out.length, start + [1, 2, 4, 8][random.integer(4)]));
      return out;
    }
    default:
      for (let i = random.integer(8); i >= 0; i--) out[at()] ^= 1 << random.integer(8);
      return out;
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-readers-'));
  let isWrong = false;
  try {
    const written = toLayersModel(await openModelFile(path.join(modelFixtures, 'functional-states.keras')));
    writeFileSync(path.join(folder, 'weights.bin'), written.weightData);
    const formats: Record<string, readonly Buffer[]> = {
      keras: fixtureFiles('.keras').map((file) => readFileSync(path.join(modelFixtures, file))),
      h5: fixtureFiles('.h5').map((file) => readFileSync(path.join(modelFixtures, file))),
      json: [Buffer.from(layersModelText(written))],
    };
    for (const [format, files] of Object.entries(formats)) {
      const random = createRandom(seed);
      const counts = { opened: 0, refused: 0, wrong: 0 };
      let slowest = 0;
      for (let i = 0; i < mutants; i++) {
        const file = path.join(folder, `mutant.${format}`);
        writeFileSync(file, damage(files[random.integer(files.length)], random));
        const start = performance.now();
        try {
          await openModelFile(file);
          counts.opened++;
        } catch (error) {
          if (error instanceof UsageError) counts.refused++;
          else if (++counts.wrong <= 5)
            console.log(`${format}, mutant ${i}: ${String((error as Error).stack).slice(0, 600)}`);
        }
        slowest = Math.max(slowest, performance.now() - start);
      }
      const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
      console.log(
        `${format}: ${mutants} mutants, ${JSON.stringify(counts)}, slowest ${Math.round(slowest)} ms, ${memory} MiB`,
      );
      isWrong ||= counts.wrong > 0;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = isWrong ? 1 : 0;
}

void main();
