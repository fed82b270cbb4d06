import fs from 'node:fs';
import path from 'node:path';
import { checkOptions } from '../../scratch/index';
import { buildAddon } from './build';
import {
  cacheDirectory,
  checkedVersion,
  makeUnfinished,
  rememberChecked,
  remove,
  removeAbandoned,
} from './cache';
import { linkAddon, linkedAddon } from './link';
import { checkFreeSpace, checkPlatform, thisPlatform } from './platform';
import type { ProbeAnswer } from './probe';
import type { ReportProgress } from './progress';
import { entryName, recipe } from './recipe';
import { stopTools } from './run-tool';
import { SetUpError } from './set-up-error';
import { tfjsNodePackage, type TfjsNodePackage } from './tfjs-node-package';

/** How the addon came to be there: it was, it was linked from the cache, it was built. */
export interface SetUpResult {
  readonly how: 'ready' | 'linked' | 'built';
  /** the engine and its version, e.g. `TensorFlow 2.21.0` */ readonly version: string;
  /** the addon's own file */ readonly addon: string;
}

export interface SetUpOptions {
  /** by default the one that this process would use */ readonly tfjsNode?: TfjsNodePackage;
  readonly report?: ReportProgress;
  /** loads an addon in a child process and computes with it */
  readonly probe: (addon: string) => Promise<ProbeAnswer>;
}

/**
 * Sets the native engine up, by the first of these that works: the addon that is in tfjs-node already, unless it is a link
 * to an older recipe's; the one in the user's cache; one built now. May run several times and several at once.
 *
 * @throws {SetUpError} when there is no way, with the reason and what to do about it
 */
export async function setUpNative(options: SetUpOptions): Promise<SetUpResult> {
  checkOptions(options, { tfjsNode: true, report: true, probe: true }, 'setUpNative');
  const { report = () => undefined, probe } = options;
  const cache = cacheDirectory();
  removeAbandoned(cache);
  const tfjsNode = checkTfjsNode(options.tfjsNode ?? tfjsNodePackage());
  const entry = path.join(cache, entryName(recipe));
  const addon = path.join(entry, 'tfjs_binding.node');
  const works = (addon: string): Promise<string | undefined> => checkAddon(cache, addon, probe, report);

  const link = linkedAddon(tfjsNode);
  const outdated = link !== undefined && link !== addon && link.startsWith(cache + path.sep);
  if (fs.existsSync(tfjsNode.addon) && !outdated) {
    const version = await works(tfjsNode.addon);
    if (version !== undefined) return { how: 'ready', version, addon: fs.realpathSync(tfjsNode.addon) };
  }
  if (fs.existsSync(entry)) {
    const version = fs.existsSync(addon) ? await works(addon) : undefined;
    if (version !== undefined) {
      linkAddon(tfjsNode, addon);
      return { how: 'linked', version, addon };
    }
    remove(entry);
  }
  checkPlatform(thisPlatform());
  const version = await buildEntry(cache, entry, tfjsNode, { report, probe });
  rememberChecked(cache, addon, version);
  linkAddon(tfjsNode, addon);
  return { how: 'built', version, addon };
}

function checkTfjsNode(tfjsNode: TfjsNodePackage | undefined): TfjsNodePackage {
  const install = `npm install --save-dev --ignore-scripts @tensorflow/tfjs-node@${recipe.tfjsNode}`;
  if (tfjsNode === undefined)
    throw new SetUpError('@tensorflow/tfjs-node is not installed', `run \`${install}\``);
  if (tfjsNode.version !== recipe.tfjsNode)
    throw new SetUpError(
      `${tfjsNode.directory} has version ${tfjsNode.version}, this set-up builds ${recipe.tfjsNode}`,
      `run \`${install}\``,
    );
  return tfjsNode;
}

async function checkAddon(
  cache: string,
  addon: string,
  probe: SetUpOptions['probe'],
  report: ReportProgress,
): Promise<string | undefined> {
  const known = checkedVersion(cache, addon);
  if (known !== undefined) return known;
  report({ step: 'check' });
  const answer = await probe(addon);
  if (!answer.works) return undefined;
  rememberChecked(cache, addon, answer.version);
  return answer.version;
}

/** Builds in a directory of its own and gives it the entry's name once it has been seen to work. */
async function buildEntry(
  cache: string,
  entry: string,
  tfjsNode: TfjsNodePackage,
  { report = () => undefined, probe }: SetUpOptions,
): Promise<string> {
  const directory = makeUnfinished(cache);
  const abandon = (): void => fs.rmSync(directory, { recursive: true, force: true });
  const stop = (signal: NodeJS.Signals): void => {
    stopTools();
    abandon();
    process.off(signal, stop);
    process.kill(process.pid, signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    checkFreeSpace(directory, recipe.freeBytes);
    const addon = await buildAddon(recipe, tfjsNode, directory, report);
    report({ step: 'check' });
    const answer = await probe(addon);
    if (!answer.works)
      throw new SetUpError(
        `the addon was built but does not compute (${answer.reason})`,
        'run `rnn-parity doctor` and report it',
      );
    finish(directory, entry);
    return answer.version;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    abandon();
  }
}

function finish(directory: string, entry: string): void {
  fs.chmodSync(directory, 0o755);
  try {
    fs.renameSync(directory, entry);
  } catch (error) {
    // Another run was faster; its entry was checked as ours was.
    if (!fs.existsSync(entry)) throw error;
  }
}

/** Whether NATIVE_REQUIRED asks for a failure where the native backend cannot run. */
export function isNativeRequired(env: NodeJS.ProcessEnv = process.env): boolean {
  return !['', '0', 'false', undefined].includes(env['NATIVE_REQUIRED']);
}
