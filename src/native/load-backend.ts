import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Tf from '@tensorflow/tfjs';
import type * as Wasm from '@tensorflow/tfjs-backend-wasm';
import {
  backendNames,
  BackendUnavailableError,
  fixUnpackGradient,
  isBackendName,
  openBackend,
  prepareCpu,
  type BackendName,
  type LoadedBackend,
  type PreparedBackend,
} from '../backends/index';
import { prepareTensorflow } from './tensorflow-backend';

/** Makes a backend known to tfjs. `addon` is tried instead of tfjs-node's own. */
type PrepareBackend = (tf: typeof Tf, addon?: string) => Promise<PreparedBackend>;

const prepare: Record<BackendName, PrepareBackend> = {
  tensorflow: prepareTensorflow,
  wasm: prepareWasm,
  cpu: prepareCpu,
};

/** tfjs is loaded by the first call of loadBackend, not by importing this package. */
let tfjs: typeof Tf | undefined;

function loadTfjs(): typeof Tf {
  if (tfjs === undefined) {
    tfjs = createRequire(__filename)('@tensorflow/tfjs') as typeof Tf;
    fixUnpackGradient(tfjs);
  }
  return tfjs;
}

const loaded = new Map<BackendName, Promise<LoadedBackend>>();

/**
 * Loads a tfjs backend; the first call takes 0.3 to 1.5 s, later ones return the same object. Several backends can be
 * loaded in one process: `use()` says which one the next operation runs on. Loading does not change that, except that
 * the first one loaded is the current one. Run no operation while a load is pending: tfjs refuses it.
 *
 * - `tensorflow`: libtensorflow through tfjs-node's addon, set up by `rnn-parity setup`; silent unless
 *   TF_CPP_MIN_LOG_LEVEL says otherwise
 * - `wasm`: the WebAssembly kernels of tfjs-backend-wasm, read from the package's own files
 * - `cpu`: the plain JavaScript kernels
 *
 * @throws {BackendUnavailableError} when the name is unknown or the backend cannot run here, with the reason and fix
 *
 * ```ts
 * const wasm = await loadBackend('wasm');
 * wasm.use();
 * wasm.tf.tanh(1).print();
 * ```
 */
export function loadBackend(name: BackendName): Promise<LoadedBackend> {
  if (!isBackendName(name))
    return Promise.reject(
      new BackendUnavailableError(
        name,
        'there is no such backend',
        `choose one of ${backendNames.join(', ')}`,
      ),
    );
  let backend = loaded.get(name);
  if (backend === undefined) {
    backend = enqueue(() => load(name));
    loaded.set(name, backend);
    // A failure is not kept: set-up may fix it while the process lives.
    backend.catch(() => loaded.delete(name));
  }
  return backend;
}

/** Loads run one after the other: tfjs can initialise only one backend at a time. */
let queue: Promise<unknown> = Promise.resolve();

function enqueue<T>(task: () => Promise<T>): Promise<T> {
  const result = queue.then(task);
  queue = result.catch(() => undefined);
  return result;
}

/** What loadBackend does, once; the set-up tries an addon with it that is not in its place yet. */
export async function load(name: BackendName, addon?: string): Promise<LoadedBackend> {
  const tf = loadTfjs();
  return openBackend(tf, name, await prepare[name](tf, addon));
}

/** The WebAssembly backend; its .wasm files are read from the installed package, so nothing is fetched. */
async function prepareWasm(tf: typeof Tf): Promise<PreparedBackend> {
  const require = createRequire(__filename);
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const wasm = require(entry) as typeof Wasm;
  if (!('wasm' in tf.engine().registry)) wasm.setWasmPaths(`${path.dirname(entry)}${path.sep}`);
  const simd: unknown = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { version: `tfjs-backend-wasm ${wasm.version_wasm}${simd === true ? ' (simd)' : ''}` };
}
