import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cacheDirectory, cacheEntries } from './cache';
import { SetUpError } from './set-up-error';
import { tfjsNodePackage, type TfjsNodePackage } from './tfjs-node-package';

/** Puts a symlink to the addon where tfjs-node looks for it, by one rename, so that a reader sees the old or the new. */
export function linkAddon(tfjsNode: TfjsNodePackage, addon: string): void {
  if (linkedAddon(tfjsNode) === addon) return;
  const link = `${tfjsNode.addon}.${process.pid}-${crypto.randomBytes(4).toString('hex')}`;
  try {
    fs.mkdirSync(path.dirname(tfjsNode.addon), { recursive: true });
    fs.symlinkSync(addon, link);
    fs.renameSync(link, tfjsNode.addon);
  } catch (error) {
    fs.rmSync(link, { force: true });
    throw new SetUpError(
      `${tfjsNode.addon} cannot be written (${(error as Error).message})`,
      'run set-up as the owner of node_modules',
      { cause: error },
    );
  }
}

/** What tfjs-node's addon is a link to; undefined when it is a file of its own or not there. */
export function linkedAddon(tfjsNode: TfjsNodePackage): string | undefined {
  try {
    return fs.readlinkSync(tfjsNode.addon);
  } catch {
    return undefined;
  }
}

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
