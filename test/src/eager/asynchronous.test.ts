import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { examine } from '../../../harness/examine/index';
import { makeProblem } from '../../../harness/problems/index';
import { initialClassifierWeights } from '../../../scratch/index';
import {
  evaluateWithTfjs,
  evaluateWithTfjsAsync,
  loadBackend,
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
