import { UsageError } from '../../base/outcome';
import { openGraphSide } from './graph';
import type { ModelSide } from './side';
import { openTfjsSide } from './tfjs';

/** Every side of `check`, in the order in which they run. */
export const sideNames = ['tfjs:cpu', 'tfjs:wasm', 'tfjs:tensorflow', 'graph'] as const;
export type SideName = (typeof sideNames)[number];

/** @throws UsageError on a name that is none */
export function parseModelSides(names: readonly string[]): SideName[] {
  return names.map((name) => {
    const found = sideNames.find((one) => one === name);
    if (found === undefined) throw new UsageError(`--sides ${name}: sides are ${sideNames.join(', ')}.`);
    return found;
  });
}

/** @throws AbsentSideError when the program is not on this machine */
export async function openSide(name: SideName): Promise<ModelSide> {
  switch (name) {
    case 'tfjs:cpu':
      return openTfjsSide('cpu');
    case 'tfjs:wasm':
      return openTfjsSide('wasm');
    case 'tfjs:tensorflow':
      return openTfjsSide('tensorflow');
    case 'graph':
      return openGraphSide();
  }
}
