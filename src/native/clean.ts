import fs from 'node:fs';
import path from 'node:path';
import { cacheDirectory, cacheEntries } from './cache';
import { linkedAddon } from './link';
import { tfjsNodePackage } from './tfjs-node-package';

/** Removes the cache of this user and the link into it from the tfjs-node found here; returns the bytes freed. */
export function cleanNative(): { readonly directory: string; readonly bytes: number } {
  const directory = cacheDirectory();
  const bytes = cacheEntries(directory).reduce((sum, entry) => sum + entry.bytes, 0);
  const tfjsNode = tfjsNodePackage();
  if (tfjsNode !== undefined && linkedAddon(tfjsNode)?.startsWith(directory + path.sep) === true)
    fs.rmSync(tfjsNode.addon, { force: true });
  fs.rmSync(directory, { recursive: true, force: true });
  return { directory, bytes };
}
