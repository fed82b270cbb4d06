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
