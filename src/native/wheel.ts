import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ReportProgress } from './progress';
import type { Recipe } from './recipe';
import { endOf, runTool } from './run-tool';
import { SetUpError } from './set-up-error';

/**
 * Downloads the wheel with pip, from whatever index the user's pip is configured for, and lets pip compare its sha256.
 *
 * @returns the wheel's file, inside `directory`
 * @throws {SetUpError} without Python or pip, without network, with another hash
 */
export async function downloadWheel(
  recipe: Recipe,
  directory: string,
  report: ReportProgress,
): Promise<string> {
  const python = await findPip();
  const { name, sha256, bytes } = recipe.wheel;
  const requirements = path.join(directory, 'requirements.txt');
  fs.writeFileSync(requirements, `${name}==${recipe.tensorflow} --hash=sha256:${sha256}\n`);
  const target = path.join(directory, 'wheel');
  // pip's own temporary files lie in our directory, so that a killed run leaves none elsewhere.
  const scratch = path.join(directory, 'pip');
  fs.mkdirSync(scratch);
  const [version = '', implementation = '', abi = '', platform = ''] = recipe.pipTags;
  const watch = setInterval(
    () => report({ step: 'download', done: bytesBelow(scratch) + bytesBelow(target), total: bytes }),
    500,
  );
  report({ step: 'download', done: 0, total: bytes });
  const result = await runTool(
    python,
    [
      ...['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--retries', '1', '--only-binary=:all:'],
      ...['--disable-pip-version-check', '--progress-bar', 'off'],
      ...[
        '--python-version',
        version,
        '--implementation',
        implementation,
        '--abi',
        abi,
        '--platform',
        platform,
      ],
      ...['--require-hashes', '-r', requirements, '-d', target],
    ],
    { env: { TMPDIR: scratch } },
  );
  clearInterval(watch);
  const wheel = result.code === 0 ? fs.readdirSync(target).find((file) => file.endsWith('.whl')) : undefined;
  if (wheel === undefined) throw pipFailure(`${name} ${recipe.tensorflow}`, sha256, result);
  fs.rmSync(scratch, { recursive: true, force: true });
  return path.join(target, wheel);
}

function pipFailure(what: string, sha256: string, result: Awaited<ReturnType<typeof runTool>>): SetUpError {
  const got = /Got\s+([0-9a-f]{64})/.exec(result.stdout + result.stderr)?.[1];
  if (got !== undefined)
    return new SetUpError(
      `pip found ${what} with sha256 ${got}, expected ${sha256}`,
      'the file on your package index was changed: ask who runs it, or use another index (PIP_INDEX_URL)',
    );
  return new SetUpError(
    `pip could not download ${what} (${endOf(result)})`,
    'check the network and `pip config list`, then run set-up again',
  );
}

async function findPip(): Promise<string> {
  let found = false;
  for (const python of ['python3', 'python']) {
    const result = await runTool(python, ['-m', 'pip', '--version']);
    if (result.code === 0) return python;
    found ||= result.found;
  }
  throw new SetUpError(
    found ? 'Python has no pip' : 'there is no python3',
    'install it (Debian, Ubuntu: `apt-get install python3-pip`)',
  );
}

function bytesBelow(directory: string): number {
  try {
    return fs
      .readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);
  } catch {
    return 0; // pip moves its files while we look.
  }
}

/**
 * Writes some members of a zip file to disk, streaming (the largest has 790 MB).
 *
 * @param targets for each member's name the file to write
 * @param written called with the bytes written so far
 * @throws {Error} when a member is missing or damaged
 */
export async function extractMembers(
  archive: string,
  targets: ReadonlyMap<string, string>,
  written: (bytes: number) => void = () => undefined,
): Promise<void> {
  const yauzl = await import('yauzl');
  const zip = await yauzl.openPromise(archive, { autoClose: false });
  const missing = new Set(targets.keys());
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const target = targets.get(entry.fileName);
      if (target === undefined) continue;
      fs.mkdirSync(path.dirname(target), { recursive: true });
      const stream = await zip.openReadStreamPromise(entry);
      stream.on('data', (chunk: Buffer) => written((bytes += chunk.length)));
      await pipeline(stream, fs.createWriteStream(target));
      missing.delete(entry.fileName);
    }
  } finally {
    zip.close();
  }
  if (missing.size > 0) throw new Error(`${path.basename(archive)} does not hold ${[...missing].join(', ')}`);
}
