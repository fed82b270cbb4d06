/** The tfjs backends this package knows, fastest first. `tensorflow` is the native engine of tfjs-node. */
export const backendNames = ['tensorflow', 'wasm', 'cpu'] as const;

export type BackendName = (typeof backendNames)[number];

/** Whether a word from outside names a backend. */
export function isBackendName(word: string): word is BackendName {
  return (backendNames as readonly string[]).includes(word);
}
