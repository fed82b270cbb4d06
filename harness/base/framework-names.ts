/** Programs in a Python of the user that can be sides. */
export const frameworkNames = ['keras', 'torch', 'onnxruntime'] as const;
export type FrameworkName = (typeof frameworkNames)[number];

export function isFrameworkName(name: string): name is FrameworkName {
  return (frameworkNames as readonly string[]).includes(name);
}

/** Whether this is a name in --backends of a side `tfjs:...`. */
export function isBackendFlag(name: string): boolean {
  return /^(?:tensorflow|wasm|cpu)(?::bptt)?$/.test(name);
}

/** Whether --backends can name it as it is called in reports; `tfjs:wasm` is `wasm` there. */
export function isBackendByName(name: string): boolean {
  return isFrameworkName(name) || name === 'graph' || name.startsWith('browser:');
}
