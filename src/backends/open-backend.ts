import type * as Tf from '@tensorflow/tfjs';
import { BackendUnavailableError, type LoadedBackend, type PreparedBackend } from './loaded-backend';

/**
 * Has tfjs initialise a backend that it knows already. The backend that was the current one stays it; the first one
 * becomes it. Open one after the other: tfjs can initialise only one backend at a time.
 *
 * @throws {BackendUnavailableError} when tfjs cannot
 */
export async function openBackend(
  tf: typeof Tf,
  name: LoadedBackend['name'],
  prepared: PreparedBackend,
): Promise<LoadedBackend> {
  const previous = tf.getBackend() as string | undefined;
  const initialised = await tf.setBackend(name);
  if (previous !== undefined && previous !== name) await tf.setBackend(previous);
  if (!initialised)
    throw new BackendUnavailableError(
      name,
      `tfjs ${tf.version_core} could not initialise it`,
      'run `rnn-parity doctor` to see which backends work',
    );
  return {
    name,
    tf,
    ...prepared,
    use: () => {
      // setBackend is declared async, but for an initialised backend it has done everything when it returns. It binds
      // every kernel anew (wasm: 130 of them), so it is not called without need.
      if (tf.getBackend() !== name) void tf.setBackend(name);
    },
  };
}

/** The plain JavaScript backend, which `@tensorflow/tfjs` registers by itself. */
export function prepareCpu(tf: typeof Tf): Promise<PreparedBackend> {
  // Its first write prints an advertisement for tfjs-node on stderr unless this (private) flag is down.
  (tf.findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
  return Promise.resolve({ version: `tfjs-backend-cpu ${tf.version['tfjs-backend-cpu']}` });
}

/**
 * Fixes the gradient of `Unpack` (tf.unstack) for a single slice.
 *
 * tfjs 4.22.0 hands a gradient function a list of upstream gradients when the kernel has several outputs, but a bare
 * tensor when it has one; the published gradient of Unpack passes it to tf.stack unchecked and throws "Argument
 * `tensors` passed to `stack` must be a Tensor[]". tf.layers.simpleRNN unstacks its inputs over time, so the gradient
 * for the inputs fails for sequences of one step without this. The formula is tfjs's own: dValue = stack(dy).
 */
export function fixUnpackGradient(tf: typeof Tf): void {
  tf.registerGradient({
    kernelName: 'Unpack',
    gradFunc: (dy, _saved, attributes) => ({
      value: () => tf.stack(Array.isArray(dy) ? dy : [dy], attributes['axis'] as number),
    }),
  });
}
