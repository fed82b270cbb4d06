import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../base/outcome';

const keras = "np.savez('weights.npz', *model.get_weights())";
const torch = "np.savez('weights.npz', **{k: v.numpy() for k, v in model.state_dict().items()})";
const how = (python: string): string =>
  `is not read; save its weights from Python with ${python} and run rnn-parity import --from weights.npz --out DIR`;

/** By the end of the name: what the file is, and what to do. */
const byName: readonly (readonly [RegExp, string])[] = [
  [/\.(h5|hdf5)$/i, `is a Keras file in HDF5, which ${how(keras)}`],
  [/\.keras$/i, `is a Keras model file, which ${how(keras)}`],
  [/\.(pt|pth|ckpt|bin|pkl)$/i, `is a PyTorch file, which ${how(torch)}`],
  [/\.safetensors$/i, `is a safetensors file, which ${how(torch)}`],
  [
    /\.(onnx|pb|tflite)$/i,
    `is a compiled graph, which is not read; take the weights from the program that made it, with ${keras}, and import them`,
  ],
];

/**
 * Refuses a file of another format by name, with what to do; passes over everything else, and what does not exist.
 *
 * @throws UsageError
 */
export async function refuseOtherFormats(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) return;
  const match = byName.find(([name]) => name.test(file));
  if (match !== undefined) throw new UsageError(`${file} ${match[1]}.`);
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    if (buffer.toString('latin1', 1, 4) === 'HDF') throw new UsageError(`${file} ${byName[0][1]}.`);
  } finally {
    await handle.close();
  }
}

/** The model directory that a path names: itself, or that of a model.json. */
export async function modelDirectory(given: string): Promise<string> {
  await refuseOtherFormats(given);
  return path.basename(given) === 'model.json' ? path.dirname(given) : given;
}
