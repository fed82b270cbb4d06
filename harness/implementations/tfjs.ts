import {
  BackendUnavailableError,
  evaluateWithTfjs,
  loadBackend,
  TfSimpleRNNClassifier,
  type BackendName,
  type LoadedBackend,
} from '../../src/index';
import type { Implementation } from '../problem';
import { SideUnavailableError, type OpenSide, type SideSource } from './side';

/** The TensorFlow.js twin on a loaded backend: float32, named `tfjs:` and the backend. */
export function tfjsImplementation(backend: LoadedBackend): Implementation {
  return {
    name: `tfjs:${backend.name}`,
    precision: 'float32',
    evaluate: (problem) => evaluateWithTfjs(backend, problem),
  };
}

/** The twin on a backend that may or may not run on this machine. */
export function tfjsSide(name: BackendName, required: boolean): SideSource {
  return {
    name: `tfjs:${name}`,
    required,
    open: async (): Promise<OpenSide> => {
      const backend = await openBackend(name);
      return {
        implementation: tfjsImplementation(backend),
        version: backend.version,
        createClassifier: (shape) => new TfSimpleRNNClassifier({ backend, ...shape }),
      };
    },
  };
}

/** @throws SideUnavailableError when this machine does not have it */
export async function openBackend(name: BackendName): Promise<LoadedBackend> {
  try {
    return await loadBackend(name);
  } catch (error) {
    if (error instanceof BackendUnavailableError) {
      throw new SideUnavailableError(`${error.reason}; ${error.mend}`, { cause: error });
    }
    // whatever keeps a backend from loading (a package that is not there, a damaged binary), it did not run
    throw new SideUnavailableError(`it could not be loaded: ${String(error)}`, { cause: error });
  }
}
