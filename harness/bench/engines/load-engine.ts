import { ScratchNetwork, ScratchSimpleRNNClassifier } from '../../../scratch/index';
import {
  BackendUnavailableError,
  GraphNetwork,
  GraphSimpleRNNClassifier,
  isBackendName,
  loadBackend,
  TfNetwork,
  TfSimpleRNNClassifier,
  type BackendName,
  type LoadedBackend,
} from '../../../src/index';
import { version } from '../../base/version';
import { ChildAbsentError } from '../../base/process/index';
import type { BenchEngine } from '../process/engine';
import { OwnEngine } from './own-engine';
import { LayersEngine } from './layers-engine';

const own = { 'rnn-parity': version };

/**
 * The engine of that name, its libraries loaded.
 *
 * @throws ChildAbsentError when it cannot run on this machine
 */
export async function loadEngine(name: string): Promise<BenchEngine> {
  const [family, backend, gradients = 'autodiff'] = name.split(':');
  if (family === 'layers' && isBackendName(backend)) {
    const loaded = await load(backend);
    return new LayersEngine(loaded.tf, versionsOf(loaded));
  }
  // no other engine needs the room that writes models
  if (name === 'onnxruntime') return (await import('./onnxruntime-engine.js')).loadOnnxRuntime();
  if (name === 'scratch') {
    return new OwnEngine({
      versions: own,
      classifier: (options) => new ScratchSimpleRNNClassifier(options),
      network: (options) => new ScratchNetwork(options),
    });
  }
  if (family === 'tfjs' && isBackendName(backend) && (gradients === 'autodiff' || gradients === 'bptt')) {
    const loaded = await load(backend);
    return new OwnEngine({
      versions: { ...own, ...versionsOf(loaded) },
      settings: { gradients },
      classifier: (options) => new TfSimpleRNNClassifier({ ...options, backend: loaded, gradients }),
      network: (options) => new TfNetwork({ ...options, backend: loaded, gradients }),
      tensors: () => loaded.tf.memory().numTensors,
    });
  }
  if (family === 'graph') {
    const loaded = await load('tensorflow');
    return new OwnEngine({
      versions: { ...own, ...versionsOf(loaded) },
      settings: threadSettings(),
      classifier: (options) => new GraphSimpleRNNClassifier({ ...options, backend: loaded }),
      network: (options) => new GraphNetwork({ ...options, backend: loaded }),
      tensors: () => loaded.tf.memory().numTensors,
    });
  }
  throw new ChildAbsentError(`this version has no engine called ${name}`);
}

async function load(name: BackendName): Promise<LoadedBackend> {
  try {
    return await loadBackend(name);
  } catch (error) {
    if (error instanceof BackendUnavailableError) throw new ChildAbsentError(error.message);
    throw error;
  }
}

/** How many threads TensorFlow may use; its environment variables hold for the whole process. */
function threadSettings(): Record<string, string> {
  const read = (name: string): string => process.env[name] ?? 'default';
  return { intraOpThreads: read('TF_NUM_INTRAOP_THREADS'), interOpThreads: read('TF_NUM_INTEROP_THREADS') };
}

function versionsOf({ tf, version }: LoadedBackend): Record<string, string> {
  return { tfjs: tf.version.tfjs, backend: version };
}
