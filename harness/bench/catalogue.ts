import { UsageError } from '../base/outcome';

/** One engine that can be asked for by name. */
export interface EngineEntry {
  readonly name: string;
  /** what it is, for the help text and the report */ readonly title: string;
  /** in JavaScript in a Node process, or in Python */ readonly runs: 'node' | 'python';
  /** ours, the plain use of TensorFlow.js, or another project */ readonly kind: 'own' | 'layers' | 'peer';
  /** threads and the like, set before its process starts */
  readonly env?: Readonly<Record<string, string>>;
}

const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
const quiet = { TF_CPP_MIN_LOG_LEVEL: '2' };

/** Every engine, in the order of the tables. */
export const engineEntries: readonly EngineEntry[] = [
  { name: 'scratch', title: 'the hand-written network, float64', runs: 'node', kind: 'own' },
  {
    name: 'graph',
    title: 'the compiled twin: a training step is one TensorFlow graph',
    runs: 'node',
    kind: 'own',
    env: quiet,
  },
  {
    name: 'graph:1',
    title: "the compiled twin in the caller's thread (TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=-1)",
    runs: 'node',
    kind: 'own',
    env: { ...quiet, TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '-1' },
  },
  {
    name: 'graph:intra1',
    title:
      'the compiled twin, one thread per operation, which is its own choice too (TF_NUM_INTRAOP_THREADS=1)',
    runs: 'node',
    kind: 'own',
    env: { ...quiet, TF_NUM_INTRAOP_THREADS: '1' },
  },
  ...(['tensorflow', 'wasm', 'cpu'] as const).flatMap((backend): EngineEntry[] => [
    {
      name: `tfjs:${backend}`,
      title: `the op-by-op twin on ${backend}, gradients by tfjs's autodiff`,
      runs: 'node',
      kind: 'own',
      env: quiet,
    },
    {
      name: `tfjs:${backend}:bptt`,
      title: `the op-by-op twin on ${backend}, gradients written by hand`,
      runs: 'node',
      kind: 'own',
      env: quiet,
    },
    {
      name: `layers:${backend}`,
      title: `tf.layers + optimizer.minimize on ${backend}, as users write it`,
      runs: 'node',
      kind: 'layers',
      env: quiet,
    },
  ]),
  {
    name: 'keras',
    title: 'Keras, train_on_batch and predict_on_batch',
    runs: 'python',
    kind: 'peer',
    env: { ...quiet, KERAS_BACKEND: 'tensorflow' },
  },
  { name: 'torch', title: 'PyTorch, default threads', runs: 'python', kind: 'peer' },
  { name: 'torch:1', title: 'PyTorch, one thread', runs: 'python', kind: 'peer', env: oneThread },
  { name: 'numpy-notebook', title: "the notebook's algorithm under NumPy", runs: 'python', kind: 'peer' },
  {
    name: 'numpy-notebook:1',
    title: "the notebook's algorithm under NumPy, one thread",
    runs: 'python',
    kind: 'peer',
    env: oneThread,
  },
  { name: 'onnxruntime', title: 'ONNX Runtime, its RNN operator, forward only', runs: 'node', kind: 'peer' },
];

/** The names, for messages and help. */
export const engineNames: readonly string[] = engineEntries.map(({ name }) => name);

/** A first look: one of each sort. */
export const defaultEngines =
  'scratch,graph,layers:tensorflow,tfjs:wasm:bptt,layers:wasm,keras,torch,numpy-notebook,onnxruntime';

/**
 * Reads `scratch,graph,layers:wasm`. `all` is every engine; the first part of names that no engine has for itself
 * (`tfjs`, `layers`) means all engines whose names start with it.
 *
 * @throws UsageError on a name that is not an engine
 */
export function parseEngines(text: string): EngineEntry[] {
  const asked = text.split(',').map((name) => name.trim());
  const found = new Set(asked.flatMap(enginesCalled));
  return engineEntries.filter((entry) => found.has(entry));
}

function enginesCalled(asked: string): readonly EngineEntry[] {
  if (asked === 'all') return engineEntries;
  const exact = engineEntries.filter(({ name }) => name === asked);
  const family = engineEntries.filter(({ name }) => name.startsWith(`${asked}:`));
  if (exact.length + family.length === 0) {
    throw new UsageError(
      `--engines: "${asked}" is not an engine; choose from ${engineNames.join(', ')}, or write all.`,
    );
  }
  return exact.length > 0 ? exact : family;
}
