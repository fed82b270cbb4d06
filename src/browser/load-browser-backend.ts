import * as tf from '@tensorflow/tfjs';
import * as wasm from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import {
  BackendUnavailableError,
  fixUnpackGradient,
  openBackend,
  prepareCpu,
  type BrowserBackendName,
  type LoadedBackend,
  type PreparedBackend,
} from '../backends/index';
import { describeWebgl, describeWebgpu } from './device';

export interface BrowserBackendOptions {
  /** tfjs's own flags, set before the backend is opened: `{ WEBGL_CPU_FORWARD: false }` */
  readonly flags?: Readonly<Record<string, boolean | number>>;
  /** compute by TensorFlow.js's layers as they are, without the twin's ways around known defects; default false */
  readonly asIs?: boolean;
  /** where tfjs-backend-wasm's three .wasm files are: a folder's address, or one address for each file; default: as tfjs finds them */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
}

/**
 * Opens a tfjs backend in a browser's page or worker. tfjs reads most flags once, so open each set of flags in a worker of its own.
 * WebGPU needs asynchronous reads: use `evaluateWithTfjsAsync` (docs/browser.md).
 *
 * @throws {BackendUnavailableError} when this browser does not have it
 *
 * ```ts
 * const webgl = await loadBrowserBackend('webgl');
 * const { gradients } = await evaluateWithTfjsAsync(webgl, { inputs, labels: [0, 2], weights });
 * ```
 */
export async function loadBrowserBackend(
  name: BrowserBackendName,
  { flags = {}, asIs = false, wasmPaths }: BrowserBackendOptions = {},
): Promise<LoadedBackend> {
  const unavailable = (reason: string, fix: string): BackendUnavailableError =>
    new BackendUnavailableError(name, reason, fix);
  for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
  fixUnpackGradient(tf);
  const prepare: Readonly<Record<BrowserBackendName, () => Promise<PreparedBackend>>> = {
    cpu: () => prepareCpu(tf),
    wasm: async () => {
      if (wasmPaths !== undefined) wasm.setWasmPaths(wasmPaths);
      const simd: unknown = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
      return { version: `tfjs-backend-wasm ${wasm.version_wasm}${simd === true ? ' (simd)' : ''}` };
    },
    webgl: () => {
      const device = describeWebgl();
      if (device === undefined)
        throw unavailable('this browser gives no WebGL 2 context', 'turn on hardware acceleration');
      return Promise.resolve({
        version: `tfjs-backend-webgl ${tf.version['tfjs-backend-webgl']}, ${device.name}`,
      });
    },
    webgpu: async () => {
      const device = await describeWebgpu();
      if (typeof device === 'string')
        throw unavailable(device, 'use a browser with WebGPU, or start Chromium with --enable-unsafe-webgpu');
      return { version: `tfjs-backend-webgpu ${tf.version_core}, ${device.name}` };
    },
  };
  const backend = await openBackend(tf, name, await prepare[name]());
  return asIs ? { ...backend, asIs } : backend;
}
