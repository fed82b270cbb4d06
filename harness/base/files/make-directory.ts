import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a directory and those above it, one after the other: `recursive` of Node.js 20 never ends where the system says ENOENT although
 * the parent exists, as in /proc.
 *
 * @returns the first one that was made; undefined where the directory exists
 * @throws what the system says where it cannot be made
 */
export async function makeDirectory(directory: string): Promise<string | undefined> {
  if (await isDirectory(directory)) return undefined;
  const parent = path.dirname(directory);
  const first = parent === directory ? undefined : await makeDirectory(parent);
  try {
    await mkdir(directory);
  } catch (error) {
    // another process may have made it since
    if (!(await isDirectory(directory))) throw error;
  }
  return first ?? directory;
}

const isDirectory = (name: string): Promise<boolean> =>
  stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
