import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { examine } from '../../../harness/examine/index';
import { makeProblem } from '../../../harness/problems/index';
import { initialClassifierWeights } from '../../../scratch/index';
import {
  evaluateWithTfjs,
  evaluateWithTfjsAsync,
  loadBackend,
  TfNetwork,
  TfSimpleRNNClassifier,
  updateWithTfjsAsync,
  type LoadedBackend,
} from '../../../src/index';

const problem = makeProblem({
  ...{ id: 'odd', seed: 3, batch: 3, timeSteps: 4, features: 2, units: 5, classes: 3, scale: 1 },
  ...{ labels: true, upstreamStates: true, upstreamFinalState: true, initialState: true, mask: true },
});

describe('the twin with asynchronous reads', () => {
  let backend: LoadedBackend;
  before(async () => {
    backend = await loadBackend('wasm');
    backend.use();
  });

  it('gives the bits of the immediate reads, by tape and by hand, and keeps no tensor', async () => {
    for (const gradients of ['autodiff', 'bptt'] as const) {
      const tensors = backend.tf.memory().numTensors;
      const later = await evaluateWithTfjsAsync(backend, problem, { gradients });
      expect(later).to.deep.equal(evaluateWithTfjs(backend, problem, { gradients }));
      expect(backend.tf.memory().numTensors).to.equal(tensors);
    }
  });

  for (const name of ['webgl', 'webgpu'] as const)
    it(`is right by its way around the defect of ${name}, on a backend without the defect`, async () => {
      const detour = { ...backend, name };
      const implementation = {
        ...{ name: 'tfjs:wasm', precision: precisionModels.wasm.precision },
        evaluate: (asked: typeof problem) => evaluateWithTfjsAsync(detour, asked),
      };
      const { status, verdicts } = await examine(implementation, problem);
      expect(status, JSON.stringify(verdicts)).to.equal('pass');
    });

  it('computes with the numbers that it was given, though the caller changes the arrays before it is done', async () => {
    const detour = { ...backend, name: 'webgl' } as const;
    const weights = initialClassifierWeights({ features: 2, units: 3, classes: 2, seed: 1 });
    const network = () =>
      new TfNetwork({
        ...{ backend: detour, gradients: 'bptt', seed: 1, features: 2, loss: 'meanSquaredError' },
        layers: [
          { layer: 'simpleRNN', units: 3 },
          { layer: 'dense', units: 2 },
        ],
      });
    // more examples than a part of a prediction has
    const given = () => ({
      inputs: { data: Float32Array.from({ length: 1200 }, (_, i) => Math.sin(i)), shape: [300, 2, 2] },
      targets: { data: Float64Array.from({ length: 600 }, (_, i) => Math.cos(i)), shape: [300, 2] },
    });
    type Given = ReturnType<typeof given>;
    const ways: Readonly<Record<string, (one: Given) => Promise<unknown>>> = {
      predictAsync: ({ inputs }) => network().predictAsync(inputs),
      evaluateAsync: ({ inputs, targets }) => network().evaluateAsync(inputs, targets),
      runAsync: ({ inputs, targets }) => network().runAsync(inputs, { targets }),
      trainOnBatchAsync({ inputs, targets }) {
        const one = network();
        one.compile({ optimizer: 'sgd' });
        return one.trainOnBatchAsync(inputs, targets);
      },
      evaluateWithTfjsAsync: ({ inputs }) => evaluateWithTfjsAsync(detour, { inputs, weights }),
    };
    for (const [name, ask] of Object.entries(ways)) {
      const changed = given();
      const later = ask(changed);
      for (const { data } of Object.values(changed)) data.fill(9);
      expect(await later, name).to.deep.equal(await ask(given()));
    }
  });

  it('trains as the classifier does, to the last bit, with every optimizer, and keeps no tensor', async () => {
    const sizes = { features: 2, units: 5, classes: 3 };
    const labels = [2, 0, 1];
    for (const optimizer of [
      { name: 'sgd', learningRate: 0.1 },
      { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
      { name: 'adam', learningRate: 0.01 },
      { name: 'adam', learningRate: 0.01, form: 'keras' },
    ] as const) {
      const model = new TfSimpleRNNClassifier({ backend, ...sizes, seed: 1 });
      model.compile({ optimizer, clipNorm: 0.5 });
      let weights = initialClassifierWeights({ ...sizes, seed: 1 });
      let state = model.getOptimizerState();
      const tensors = backend.tf.memory().numTensors;
      for (let i = 0; i < 2; i++) {
        const asked = { inputs: problem.inputs, labels, weights, state, optimizer, clipNorm: 0.5 };
        const step = await updateWithTfjsAsync(backend, asked);
        expect(step.loss).to.equal(model.trainOnBatch(problem.inputs, labels).loss);
        ({ weights, state } = step);
        expect(weights).to.deep.equal(model.getWeights());
        expect(state).to.deep.equal(model.getOptimizerState());
      }
      model.dispose();
      expect(backend.tf.memory().numTensors).to.be.below(tensors);
    }
  });
});
