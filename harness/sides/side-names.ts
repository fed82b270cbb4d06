import { UsageError } from '../base/outcome';
import { backendNames, type BackendName } from '../../src/index';
import { graphSide } from './graph';
import { pageSides } from './page/index';
import { remoteSide } from './remote/index';
import type { SideSource } from './side';
import { tfjsSide } from './tfjs';

/** The backends of the op-by-op twin with TensorFlow.js's own gradients, and the compiled twin, which runs inside `tensorflow`. */
export const plainSideNames = [...backendNames, 'graph'] as const;

/** These, and the op-by-op twin with hand-written gradients: `wasm:bptt` is the side `tfjs:wasm:bptt`. */
export const sideNames = [...plainSideNames, ...backendNames.map((name) => `${name}:bptt` as const)];
export type SideName = (typeof sideNames)[number] | BrowserSideName;

/** A side in a browser of this machine, which runs only where it is named. */
export type BrowserSideName = `browser:${string}`;

const isBrowserSide = (name: string): name is BrowserSideName => pageSides.some((side) => side.name === name);

export function isSideName(name: string): name is SideName {
  return (sideNames as readonly string[]).includes(name) || isBrowserSide(name);
}

/** Whether the side runs inside TensorFlow's native library. */
export function usesLibrary(name: SideName): boolean {
  return name === 'graph' || (!isBrowserSide(name) && backendOf(name) === 'tensorflow');
}

/** @param required whether the run must end with exit code 3 where this machine does not have it */
export function sideSource(name: SideName, required: boolean): SideSource {
  if (name === 'graph') return graphSide(required);
  if (isBrowserSide(name)) return remoteSide(name, required);
  return tfjsSide(backendOf(name), required, name.endsWith(':bptt') ? 'bptt' : 'autodiff');
}

function backendOf(name: Exclude<SideName, 'graph' | BrowserSideName>): BackendName {
  return name.replace(/:bptt$/, '') as BackendName;
}

/**
 * Reads `tensorflow,wasm`, as --backends is given.
 *
 * @param more names that are allowed besides
 * @throws UsageError where a name is missing, or is none of a backend
 */
export function parseSideNames<More extends string = never>(
  list: string,
  more: readonly More[] = [],
): (SideName | More)[] {
  const isKnown = (name: string): name is SideName | More =>
    isSideName(name) || (more as readonly string[]).includes(name);
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isKnown(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--backends ${list}: ${unknown === '' ? 'a name is missing' : `there is no backend ${JSON.stringify(unknown)}`}; choose from ${[...sideNames, ...pageSides.map((side) => side.name), ...more].join(', ')}, separated by commas.`,
    );
  }
  return [...new Set(names.filter(isKnown))];
}
