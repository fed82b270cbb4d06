import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { loadBackend, type BackendName, type LoadedBackend } from '../../src/index';
import { tfjsNodePackage } from '../../src/native/index';

/**
 * The backends to test: cpu and wasm always; tensorflow where it was set up, and everywhere when NATIVE_REQUIRED is set,
 * so that a set-up addon that does not load is a failing test and not a missing one.
 */
export const testedBackends: readonly BackendName[] = [
  'cpu',
  'wasm',
  ...(process.env['NATIVE_REQUIRED'] === '1' || existsSync(tfjsNodePackage()?.addon ?? '')
    ? (['tensorflow'] as const)
    : []),
];

/**
 * Describes the same tests on every tested backend; `backend()` is for the tests' insides. Each test must end with as
 * many tensors as it began with.
 */
export function describeOnBackends(
  title: string,
  tests: (backend: () => LoadedBackend) => void,
  names: readonly BackendName[] = testedBackends,
): void {
  for (const name of names) {
    describe(`${title}, on ${name}`, () => {
      let backend: LoadedBackend;
      let tensors = 0;
      before(async () => {
        backend = await loadBackend(name);
      });
      beforeEach(() => {
        backend.use();
        tensors = backend.tf.memory().numTensors;
      });
      afterEach(function () {
        if (this.currentTest?.state === 'failed') return;
        expect(backend.tf.memory().numTensors, 'tensors left behind').to.equal(tensors);
      });
      tests(() => backend);
    });
  }
}
