import { expect } from 'chai';
import { createRandom } from '../../../scratch/index';
import { loadBackend } from '../../../src/index';
import {
  GraphSimpleRNNClassifier,
  startGraphWorker,
  type GraphWorkerClassifier,
} from '../../../src/graph/index';

const sizes = { features: 2, units: 8, classes: 3 };
const random = createRandom(4);
const inputs = {
  shape: [24, 5, 2],
  data: Float64Array.from({ length: 240 }, () => random.normal()),
};
const labels = Int32Array.from({ length: 24 }, () => random.integer(3));
const options = { epochs: 3, batchSize: 7, seed: 2, optimizer: 'adam' as const };

describe('graph/worker', () => {
  let worker: GraphWorkerClassifier;
  before(async () => (worker = await startGraphWorker({ ...sizes, seed: 6 })));
  after(() => worker.dispose());

  it('trains to the same bits as in the main thread, which stays alive', async () => {
    const model = new GraphSimpleRNNClassifier({
      backend: await loadBackend('tensorflow'),
      ...sizes,
      seed: 6,
    });
    const expected = await model.fit(inputs, labels, options);
    const seen: [string, number][] = [];
    const history = await worker.fit(inputs, labels, {
      ...options,
      onBatchEnd: ({ batch }) => void seen.push(['batch', batch]),
      onEpochEnd: ({ epoch }) => void seen.push(['epoch', epoch]),
    });
    expect(history).to.deep.equal(expected);
    expect(seen.slice(0, 5).map(([kind, i]) => `${kind} ${i}`)).to.deep.equal([
      'batch 0',
      'batch 1',
      'batch 2',
      'batch 3',
      'epoch 0',
    ]);
    expect(seen).to.have.length(15);
    expect(await worker.getWeights()).to.deep.equal(model.getWeights());
    expect(await worker.predict(inputs)).to.deep.equal(model.predict(inputs));
    model.dispose();
  });

  it('stops when a callback says so, and passes the caller’s error on', async () => {
    const stopped = await worker.fit(inputs, labels, { epochs: 5, onEpochEnd: ({ epoch }) => epoch < 1 });
    expect(stopped.epochs).to.have.length(2);
    expect(stopped.completed).to.equal(false);
    const mine = new Error('mine');
    const fit = worker.fit(inputs, labels, { onBatchEnd: () => Promise.reject(mine) });
    expect(await fit.catch((error: unknown) => error)).to.equal(mine);
  });

  it('answers its callbacks, which may ask but not train; a second fit is refused', async () => {
    const refused: unknown[] = [];
    const predicted: number[] = [];
    const fit = worker.fit(inputs, labels, {
      ...options,
      onEpochEnd: async () => {
        predicted.push((await worker.predict(inputs)).length);
        refused.push(await worker.trainOnBatch(inputs, labels).catch(String));
        refused.push(await worker.fit(inputs, labels, options).catch(String));
      },
    });
    expect((await fit).completed).to.equal(true);
    expect(predicted).to.deep.equal([24, 24, 24]);
    expect(refused).to.have.length(6);
    for (const message of refused) expect(message).to.match(/that has not ended/);
  });

  it('rejects with the classifier’s own messages and goes on', async () => {
    const error: unknown = await worker.trainOnBatch([[[1, 2]]], [9]).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(RangeError);
    expect(error)
      .to.have.property('message')
      .that.matches(/trainOnBatch: labels holds 9/);
    expect(await worker.loss(inputs, labels)).to.be.above(0);
  });

  it('lets timers run while a long call computes', async () => {
    const long = { shape: [64, 60, 2], data: new Float64Array(64 * 120) };
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const start = performance.now();
    while (performance.now() - start < 100) await worker.lossAndGradients(long, new Int32Array(64));
    clearInterval(timer);
    expect(ticks).to.be.above(5);
  });

  it('refuses to start on options that do not fit, and calls after the end', async () => {
    const failed: unknown = await startGraphWorker({ ...sizes, units: 0 }).catch((e: unknown) => e);
    expect(failed)
      .to.have.property('message')
      .that.matches(/units is 0/);
    const other = await startGraphWorker(sizes);
    await other.dispose();
    await other.dispose();
    expect(await other.getWeights().catch((e: unknown) => String(e))).to.match(/graph worker has ended/);
  });
});
