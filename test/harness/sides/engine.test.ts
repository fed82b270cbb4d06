import { expect } from 'chai';
import {
  createClassifier,
  pickEngine,
  rankEngines,
  stepMilliseconds,
} from '../../../harness/sides/engine/index';
import { scratchImplementation } from '../../../harness/sides/index';
import { compareEvaluation } from '../../../harness/judge/index';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import { sizesOf } from '../../../harness/base/problem';
import type { ClassifierWeights } from '../../../scratch/index';

const tiny = { batch: 10, timeSteps: 5, features: 2, units: 4 };
const digits = { batch: 64, timeSteps: 28, features: 28, units: 128 };

describe('harness/engine', () => {
  it('takes plain arrays for tiny steps, the graph for large ones, wasm where there is no native library', async () => {
    expect(rankEngines(tiny)[0]).to.equal('scratch');
    expect(rankEngines(digits)).to.deep.equal(['graph', 'wasm', 'scratch']);
    const { choice, reason } = await pickEngine(digits, (engine) =>
      Promise.resolve(engine === 'graph' ? 'its addon is missing' : undefined),
    );
    expect(choice).to.deep.equal({ kind: 'tfjs', backend: 'wasm' });
    expect(reason).to.match(/^wasm: .* takes about .* ms there, .* by graph and .* by scratch/);
    expect(reason).to.contain('graph (its addon is missing)');
  });

  it('takes longer for more of anything, whatever the engine', () => {
    for (const engine of ['scratch', 'graph', 'wasm'] as const)
      for (const letter of ['batch', 'timeSteps', 'features', 'units'] as const) {
        const more = { ...digits, [letter]: 2 * digits[letter] };
        expect(stepMilliseconds(engine, more), `${engine}, ${letter}`).above(
          stepMilliseconds(engine, digits),
        );
      }
  });

  it('gives the same numbers whatever is picked, within the derived budgets', async () => {
    const problem = adversarialProblem(5, 1, {
      kinds: ['gaussian'],
      scales: [0.3],
      normalized: true,
      plain: true,
    });
    const { batch, timeSteps, features, units, classes = 2 } = sizesOf(problem);
    const reference = await scratchImplementation().evaluate(problem);
    const shape = {
      batchSize: batch,
      timeSteps,
      features,
      units,
      classes,
      weights: problem.weights as ClassifierWeights,
    };
    const names: string[] = [];
    for (const engine of ['auto', 'scratch', 'graph', { kind: 'tfjs', backend: 'wasm' }] as const) {
      const { classifier } = await createClassifier({ ...shape, engine });
      names.push(classifier.name);
      const { initialState } = problem;
      const { loss, probabilities, gradients } = classifier.lossAndGradients(
        problem.inputs,
        problem.labels ?? [],
        initialState && { initialState },
      );
      const answer = { probabilities, loss: { data: Float64Array.of(loss), shape: [] }, gradients };
      const omits = ['states', 'finalState', 'logits'] as const;
      expect(compareEvaluation(problem, reference, answer, classifier, { omits }).status).to.equal('pass');
      classifier.dispose();
    }
    expect(names).to.deep.equal(['scratch', 'scratch', 'graph', 'tfjs:wasm:bptt']);
  });

  it('says by name that an engine cannot be had', async () => {
    const { batch: batchSize, ...rest } = digits;
    const shape = { ...rest, batchSize, classes: 10 };
    const bad = createClassifier({ ...shape, engine: { kind: 'tfjs', backend: 'webgpu' as 'cpu' } });
    expect(await bad.then(() => '', String)).to.match(/webgpu/);
  });

  it('refuses an option that does not exist', async () => {
    const bad = createClassifier({ ...digits, classes: 10 });
    expect(await bad.then(() => '', String)).to.match(
      /RangeError: createClassifier: there is no option batch; the nearest is batchSize/,
    );
  });
});
