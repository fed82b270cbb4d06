import type { BackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { pageSides } from '../../sides/page/index';
import { isFrameworkName } from '../../base/framework-names';
import { openFrameworkSide, type FrameworkSideOptions } from './framework';
import { openNetworkSide } from './network';
import type { ModelSide } from './side';
import { openTfjsSide } from './tfjs';

/** Every side of `check`, in the order in which they run: plain TensorFlow.js, our own networks, other programs. */
export const sideNames = [
  'tfjs:cpu',
  'tfjs:wasm',
  'tfjs:tensorflow',
  'twin:cpu',
  'twin:wasm',
  'twin:tensorflow',
  'graph',
  'keras',
  'torch',
  'onnxruntime',
] as const;

/** The twin on the devices of a browser of this machine, which run only where they are named. */
const browserSideNames = pageSides.filter(({ asIs }) => !asIs).map(({ name }) => name as `browser:${string}`);
export type SideName = (typeof sideNames)[number] | `browser:${string}`;

/** Every side that can be named: those of this machine, and the devices of a browser. */
export const everySideName: readonly SideName[] = [...sideNames, ...browserSideNames];

/** @throws UsageError for a name that no side has */
export function parseModelSides(names: readonly string[]): SideName[] {
  return names.map((name) => {
    const found = everySideName.find((one) => one === name);
    if (found === undefined)
      throw new UsageError(
        `--sides ${names.join()}: ${name === '' ? 'a name is missing' : `there is no side ${JSON.stringify(name)}`}; sides are ${everySideName.join(', ')}.`,
      );
    return found;
  });
}

/** @throws SideUnavailableError when the program is not on this machine */
export async function openSide(name: SideName, options: FrameworkSideOptions): Promise<ModelSide> {
  if (isFrameworkName(name)) return openFrameworkSide(name, options);
  const [family, backend] = name.split(':');
  return family === 'tfjs' ? openTfjsSide(backend as BackendName) : openNetworkSide(name);
}
