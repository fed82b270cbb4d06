import type * as Tf from '@tensorflow/tfjs';
import type { TensorflowNode } from './tensorflow-node';

/** The tfjs backends of Node, fastest first. `tensorflow` is the native engine of tfjs-node. */
export const backendNames = ['tensorflow', 'wasm', 'cpu'] as const;

export type BackendName = (typeof backendNames)[number];

/** The backends of a browser. */
export const browserBackendNames = ['webgl', 'webgpu', 'wasm', 'cpu'] as const;

export type BrowserBackendName = (typeof browserBackendNames)[number];

/** Whether a word from outside names a backend. */
export function isBackendName(word: string): word is BackendName {
  return (backendNames as readonly string[]).includes(word);
}

/** What there is to say of a backend that tfjs knows but has not initialised yet. */
export type PreparedBackend = Pick<LoadedBackend, 'version' | 'node'>;

/** A tfjs backend that has been initialised in this process. */
export interface LoadedBackend {
  readonly name: BackendName | BrowserBackendName;
  /** the one tfjs of this process, with every loaded backend registered */ readonly tf: typeof Tf;
  /** the engine and its version, e.g. `TensorFlow 2.21.0` */ readonly version: string;
  /** the twin computes by TensorFlow.js's layers as they are, without its ways around known defects; default false */
  readonly asIs?: boolean;
  /** what tfjs-node adds to tfjs (SavedModels, TensorBoard summaries, images); only on `tensorflow` */
  readonly node?: TensorflowNode;
  /**
   * Makes this backend the current one of tfjs, at once: the next operation runs on it. Tensors stay readable from the
   * backend that made them; tfjs moves their data when an operation on another backend needs it.
   */
  readonly use: () => void;
}

/** @throws TypeError when it is not what loadBackend gives, such as the name of a backend or a promise that was not awaited */
export function checkBackend(
  backend: Pick<LoadedBackend, 'use'> | undefined,
  name: string,
  example: BackendName = 'wasm',
): void {
  if (typeof backend?.use === 'function') return;
  const given: unknown = backend;
  const is =
    given === undefined
      ? 'missing'
      : given instanceof Promise
        ? 'a promise'
        : typeof given === 'string'
          ? `"${given}"`
          : `of type ${typeof given}`;
  throw new TypeError(
    `${name}: backend is ${is}; pass what loadBackend gives: backend: await loadBackend('${example}').`,
  );
}

/** A backend cannot be used on this machine: which one, why, and what to do about it. */
export class BackendUnavailableError extends Error {
  override readonly name = 'BackendUnavailableError';

  constructor(
    readonly backend: string,
    readonly reason: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`backend '${backend}' is not available: ${reason}; ${fix}`, options);
  }
}
