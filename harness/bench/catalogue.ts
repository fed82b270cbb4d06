import { UsageError } from '../base/outcome';

/** One engine that can be asked for by name. */
export interface EngineEntry {
  readonly name: string;
  /** what it is, for the help text and the report */ readonly title: string;
  /** in JavaScript in a Node process, or in Python */ readonly runs: 'node' | 'python';
  /** threads and the like, set before its process starts */
  readonly env?: Readonly<Record<string, string>>;
}

const inNode = (name: string, title: string, env: EngineEntry['env'] = {}): EngineEntry => ({
  name,
  title,
  runs: 'node',
  env: { TF_CPP_MIN_LOG_LEVEL: '2', ...env },
});
const inPython = (name: string, title: string, env: EngineEntry['env'] = {}): EngineEntry => ({
  name,
  title,
  runs: 'python',
  env,
});
export const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

/** Every engine, in the order of the tables. */
export const engineEntries: readonly EngineEntry[] = [
  inNode('scratch', 'the hand-written network, float64'),
  inNode('graph', 'the compiled twin: a training step is one TensorFlow graph'),
  inNode(
    'graph:1',
    "the compiled twin in the caller's thread (TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=-1)",
    { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '-1' },
  ),
  inNode(
    'graph:intra1',
    'the compiled twin, one thread per operation, which is its own choice too (TF_NUM_INTRAOP_THREADS=1)',
    { TF_NUM_INTRAOP_THREADS: '1' },
  ),
  ...['tensorflow', 'wasm', 'cpu'].flatMap((backend) => [
    inNode(`tfjs:${backend}`, `the op-by-op twin on ${backend}, gradients by tfjs's autodiff`),
    inNode(`tfjs:${backend}:bptt`, `the op-by-op twin on ${backend}, gradients written by hand`),
    inNode(`layers:${backend}`, `tf.layers + optimizer.minimize on ${backend}, as users write it`),
  ]),
  inPython('keras', 'Keras, train_on_batch and predict_on_batch', {
    TF_CPP_MIN_LOG_LEVEL: '2',
    KERAS_BACKEND: 'tensorflow',
  }),
  inPython('torch', 'PyTorch, default threads'),
  inPython('torch:1', 'PyTorch, one thread', oneThread),
  inPython('numpy-notebook', "the notebook's algorithm under NumPy"),
  inPython('numpy-notebook:1', "the notebook's algorithm under NumPy, one thread", oneThread),
  inNode('onnxruntime', 'ONNX Runtime with its own recurrent operators, forward only'),
];

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
      `--engines: "${asked}" is not an engine; choose from ${engineEntries.map(({ name }) => name).join(', ')}, or write all.`,
    );
  }
  return exact.length > 0 ? exact : family;
}
