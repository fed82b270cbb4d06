import { backendNames, isBackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { openFrameworkSide, type FrameworkOptions } from './framework';
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
export async function openSide(name: SideName, options: FrameworkOptions): Promise<ModelSide> {
  if (name === 'keras' || name === 'torch' || name === 'onnxruntime') return openFrameworkSide(name, options);
  if (name === 'graph') return openNetworkSide(name);
  const [family, backend] = name.split(':');
  if (!isBackendName(backend))
    throw new UsageError(`--sides ${name}: backends are ${backendNames.join(', ')}.`);
  return family === 'tfjs' ? openTfjsSide(backend) : openNetworkSide(backend);
}
