import fs from 'node:fs';
import util from 'node:util';

/** The native binding of tfjs-node; only what is read here is typed. */
export interface Addon {
  /** the version of libtensorflow, e.g. `2.21.0` */ readonly TF_Version: string;
}

const loadedAddons = new Map<string, Addon>();

/**
 * Loads tfjs-node's addon into the process.
 * @throws {Error} when it is not there or cannot be loaded, with the reason
 */
export function loadAddon(addonFile: string): Addon {
  let file: string;
  try {
    // The loader looks for libtensorflow in the addon's directory ($ORIGIN) and does not follow a symlink first.
    file = fs.realpathSync(addonFile);
  } catch {
    throw new Error(`the addon of tfjs-node has not been set up (${addonFile} does not exist)`);
  }
  let addon = loadedAddons.get(file);
  if (addon === undefined) {
    restoreRemovedUtil();
    silence();
    const module_ = { exports: {} as Addon };
    process.dlopen(module_, file);
    addon = module_.exports;
    loadedAddons.set(file, addon);
  }
  return addon;
}

/**
 * tfjs-node 4.22.0 calls util.isNullOrUndefined and util.isArray, which Node 23 removed (Node 22 warns). Its
 * repository has the cure, but it was never released.
 */
function restoreRemovedUtil(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

/**
 * For an addon that is not ours (tfjs-node's own installer): it writes notices unless this says that only errors count. In a
 * worker thread, whose process.env is a copy that C++ does not see, that has no effect; ours needs no variable.
 */
function silence(): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
}
