import {
  BackendUnavailableError,
  evaluateWithTfjs,
  loadBackend,
  TfNetwork,
  TfSimpleRNNClassifier,
  type BackendName,
  type GradientMethod,
  type LoadedBackend,
} from '../../src/index';
import type { Implementation } from '../base/problem';
import { SideUnavailableError } from '../base/side-errors';
import { byModel } from './by-model';
import type { OpenSide, SideSource } from './side';

/** The TensorFlow.js twin on a loaded backend: float32, named `tfjs:` and the backend, with `:bptt` where its gradients are by hand. */
export function tfjsImplementation(
  backend: LoadedBackend,
  gradients: GradientMethod = 'autodiff',
): Implementation {
  return {
    name: nameOf(backend.name, gradients),
    precision: 'float32',
    evaluate: (problem) => evaluateWithTfjs(backend, problem, { gradients }),
    layered: byModel((options) => new TfNetwork({ backend, gradients, ...options })),
  };
}

function nameOf(backend: LoadedBackend['name'], gradients: GradientMethod): string {
  return `tfjs:${backend}${gradients === 'bptt' ? ':bptt' : ''}`;
}

/** The twin on a backend that may or may not run on this machine. */
export function tfjsSide(
  name: BackendName,
  required: boolean,
  gradients: GradientMethod = 'autodiff',
): SideSource {
  return {
    name: nameOf(name, gradients),
    required,
    open: async (): Promise<OpenSide> => {
      const backend = await openBackend(name);
      return {
        implementation: tfjsImplementation(backend, gradients),
        version: backend.version,
        createClassifier: (shape) => new TfSimpleRNNClassifier({ backend, gradients, ...shape }),
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
      throw new SideUnavailableError(`${error.reason}; ${error.fix}`, { cause: error });
    }
    // whatever keeps a backend from loading (a package that is not there, a damaged binary), it did not run
    throw new SideUnavailableError(`it could not be loaded: ${String(error)}`, { cause: error });
  }
}
