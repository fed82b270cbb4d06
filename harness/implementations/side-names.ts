import { backendNames } from '../../src/index';
import { graphSide } from './graph';
import type { SideSource } from './side';
import { tfjsSide } from './tfjs';

/** The backends of the op-by-op twin, and the compiled one, which runs inside `tensorflow`. */
export const sideNames = [...backendNames, 'graph'] as const;
export type SideName = (typeof sideNames)[number];

export function isSideName(name: string): name is SideName {
  return (sideNames as readonly string[]).includes(name);
}

/** @param required whether the run must end with exit code 3 where this machine does not have it */
export function sideSource(name: SideName, required: boolean): SideSource {
  return name === 'graph' ? graphSide(required) : tfjsSide(name, required);
}
