import type * as Tf from '@tensorflow/tfjs';
import type { LoadedBackend, PreparedBackend } from './loaded-backend';
import { BackendUnavailableError } from './unavailable';

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
