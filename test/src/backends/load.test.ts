import { expect } from 'chai';
import { backendNames, BackendUnavailableError, loadBackend, type BackendName } from '../../../src/index';

describe('loadBackend', () => {
  for (const name of backendNames)
    it(`${name} computes a product, a tanh and a gradient`, async () => {
      const backend = await loadBackend(name);
      expect(backend.name).to.equal(name);
      expect(backend.version).to.match(/\d+\.\d+\.\d+/);
      backend.use();
      const { tf } = backend;
      expect(tf.getBackend()).to.equal(name);
      const before = tf.memory().numTensors;
      const kernel = tf.tensor2d([
        [1, -2],
        [0.5, 3],
      ]);
      const input = tf.tensor2d([[0.3, -0.1]]);
      const value = tf.tidy(() => tf.tanh(tf.matMul(input, kernel)));
      const gradient = tf.tidy(() => tf.grad((x) => tf.sum(tf.tanh(tf.matMul(input, x))))(kernel));
      const h = [Math.tanh(0.3 - 0.05), Math.tanh(-0.6 - 0.3)];
      expectClose(value.dataSync(), h);
      expectClose(
        gradient.dataSync(),
        [0.3, -0.1].flatMap((x) => h.map((y) => x * (1 - y * y))),
      );
      tf.dispose([kernel, input, value, gradient]);
      expect(tf.memory().numTensors).to.equal(before);
    });

  it('gives the same object each time, also to two callers at once', async () => {
    const [first, second] = await Promise.all([loadBackend('cpu'), loadBackend('cpu')]);
    expect(first).to.equal(second);
  });

  it('use() switches at once among the backends of one process', async () => {
    const backends = await Promise.all(backendNames.map((name) => loadBackend(name)));
    for (const backend of [...backends, ...[...backends].reverse()]) {
      backend.use();
      const { tf } = backend;
      expect(tf.getBackend()).to.equal(backend.name);
      expect(tf.backend()).to.equal(tf.findBackend(backend.name));
      const sum = tf.add([1, 2], [3, 4]);
      expectClose(sum.dataSync(), [4, 6]);
      sum.dispose();
    }
  });

  it('does not change the current backend by loading another', async () => {
    const cpu = await loadBackend('cpu');
    cpu.use();
    await loadBackend('wasm');
    expect(cpu.tf.getBackend()).to.equal('cpu');
  });

  it('names an unknown backend and the known ones', async () => {
    const error = await loadBackend('webgpu' as BackendName).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(BackendUnavailableError);
    expect((error as BackendUnavailableError).backend).to.equal('webgpu');
    expect((error as Error).message).to.equal(
      "backend 'webgpu' is not available: there is no such backend; choose one of tensorflow, wasm, cpu",
    );
  });

  for (const name of backendNames)
    it(`${name}: the gradient of a single unstacked step can be had`, async () => {
      const backend = await loadBackend(name);
      backend.use();
      const { tf } = backend;
      const gradient = tf.tidy(() =>
        tf
          .grad((x) => tf.sum(tf.mul(tf.unstack(x, 1)[0], [[2], [3]])))(tf.ones([2, 1, 1]))
          .arraySync(),
      );
      expect(gradient).to.deep.equal([[[2]], [[3]]]);
    });

  it('tensorflow brings tfjs-node’s own functions', async () => {
    const backend = await loadBackend('tensorflow');
    backend.use();
    const { node } = backend;
    expect(node?.loadSavedModel).to.be.a('function');
    expect(node?.summaryFileWriter).to.be.a('function');
    expect(node?.getNumOfSavedModels()).to.equal(0);
    expect((await loadBackend('cpu')).node).to.equal(undefined);
  });
});

function expectClose(values: ArrayLike<number>, expected: readonly number[]): void {
  expect(values).to.have.length(expected.length);
  expected.forEach((value, index) => expect(values[index]).to.be.closeTo(value, 1e-6));
}
