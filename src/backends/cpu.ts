import type * as Tf from '@tensorflow/tfjs';
import type { PreparedBackend } from './loaded-backend';

/** The plain JavaScript backend, which `@tensorflow/tfjs` registers by itself. */
export function prepareCpu(tf: typeof Tf): Promise<PreparedBackend> {
  // Its first write prints an advertisement for tfjs-node on stderr unless this (private) flag is down.
  (tf.findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
  return Promise.resolve({ version: `tfjs-backend-cpu ${tf.version['tfjs-backend-cpu']}` });
}
