import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * Loading and computing takes a second or two, so what was found to work is remembered: by the addon's file and the
 * libraries in its directory (sizes and times), the Node and the CPU. A change of any of them means a new check.
 */
function markOf(cache: string, addon: string): string {
  const file = fs.realpathSync(addon);
  const folder = path.dirname(file);
  // Where tfjs-node's own installer puts libtensorflow.
  const directories = [folder, path.resolve(folder, '..', '..', 'deps', 'lib')];
  const libraries = directories.flatMap((directory) =>
    fs.existsSync(directory)
      ? fs
          .readdirSync(directory)
          .filter((name) => name.startsWith('libtensorflow'))
          .map((name) => path.join(directory, name))
      : [],
  );
  const facts = [file, ...libraries].map((name) => {
    const { size, mtimeMs, ctimeMs } = fs.statSync(name);
    return [name, size, mtimeMs, ctimeMs];
  });
  const text = JSON.stringify([facts, process.version, os.cpus()[0]?.model]);
  return path.join(cache, 'checked', crypto.createHash('sha256').update(text).digest('hex').slice(0, 24));
}

/** Remembers that the addon works; a cache that cannot be written only means that it is checked again. */
export function rememberChecked(cache: string, addon: string, version: string): void {
  try {
    const mark = markOf(cache, addon);
    fs.mkdirSync(path.dirname(mark), { recursive: true });
    fs.writeFileSync(mark, version);
  } catch {
    return;
  }
}

/** The version that an earlier check of this very addon found, e.g. `TensorFlow 2.21.0`. */
export function checkedVersion(cache: string, addon: string): string | undefined {
  try {
    return fs.readFileSync(markOf(cache, addon), 'utf8');
  } catch {
    return undefined;
  }
}
