import type { PrepareBackend } from './load';

/** The plain JavaScript backend, which `@tensorflow/tfjs` registers by itself. */
export const prepareCpu: PrepareBackend = (tf) => {
  // Its first write prints an advertisement for tfjs-node on stderr unless this (private) flag is down.
  (tf.findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
  return Promise.resolve({ version: `tfjs-backend-cpu ${tf.version['tfjs-backend-cpu']}` });
};
