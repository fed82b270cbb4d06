import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Tf from '@tensorflow/tfjs';
import type * as Wasm from '@tensorflow/tfjs-backend-wasm';
import type { PreparedBackend } from '../backends/index';

/** The WebAssembly backend; its .wasm files are read from the installed package, so nothing is fetched. */
export async function prepareWasm(tf: typeof Tf): Promise<PreparedBackend> {
  const require = createRequire(__filename);
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const wasm = require(entry) as typeof Wasm;
  if (!('wasm' in tf.engine().registry)) wasm.setWasmPaths(`${path.dirname(entry)}${path.sep}`);
  const simd: unknown = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { version: `tfjs-backend-wasm ${wasm.version_wasm}${simd === true ? ' (simd)' : ''}` };
}
