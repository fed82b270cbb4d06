import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { tensorOf, type Evaluation, type LayeredProblem } from '../../../harness/base/problem';
import { asOutcome, equationsOf } from '../../../harness/equations/index';
import { makeLayeredProblem } from '../../../harness/problems/index';
import { byModel } from '../../../harness/sides/index';
import type { LayerConfig } from '../../../scratch/index';
import { GraphNetwork, loadBackend, type LoadedBackend } from '../../../src/index';
import { blamed, judgeResults } from '../../harness/equations/alarms';

const networks: readonly (readonly LayerConfig[])[] = [
  [{ layer: 'lstm', units: 24 }],
  [{ layer: 'gru', units: 9 }],
  [{ layer: 'gru', units: 5, resetAfter: false }],
  [
    { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 3, returnSequences: true } },
    { layer: 'simpleRNN', units: 7 },
  ],
];

describe('graph/network, by the budgets of the formulas', () => {
  let backend: LoadedBackend;
  before(async () => (backend = await loadBackend('tensorflow')));

  const problemOf = (layers: readonly LayerConfig[], seed: number): LayeredProblem =>
    makeLayeredProblem({
      id: `${layers.map(({ layer }) => layer).join()}-${seed}`,
      seed,
      model: { features: 3, layers: [...layers, { layer: 'dense', units: 3 }] },
      batch: 1 + (seed % 5),
      timeSteps: [1, 4, 20][seed % 3],
      scale: [0.3, 1, 3][seed % 3],
      mask: seed % 2 === 1,
      upstream: seed % 4 < 2,
    });

  /** The tensors of an answer that rounding does not explain. */
  function blamedIn(problem: LayeredProblem, answer: Evaluation): string[] {
    const equations = equationsOf(problem);
    const outcome = asOutcome(equations, (dotted) => tensorOf(answer, dotted));
    expect(outcome.size).to.be.above(10);
    const all = judgeResults(equations.network, equations.problem, outcome, precisionModels.tensorflow);
    return blamed(all.filter(({ tensor }) => outcome.has(tensor)));
  }

  for (const layers of networks) {
    it(`stays within them: ${layers.map(({ layer }) => layer).join(', ')}`, () => {
      let built = 0;
      const side = byModel((options) => {
        built++;
        return new GraphNetwork({ backend, loop: 'while', ...options });
      }, 1);
      for (let seed = 0; seed < 3; seed++) {
        const problem = problemOf(layers, seed);
        const answer = side.evaluate(problem) as Evaluation;
        expect(blamedIn(problem, answer), problem.id).to.deep.equal([]);
        if (problem.inputs.shape[1] === 1) continue;
        // one weight off by a thousandth is not
        const weights = structuredClone(problem.weights);
        Object.values(weights[0])[0].data[1] *= 1.001;
        const wrong = side.evaluate({ ...problem, weights }) as Evaluation;
        expect(blamedIn(problem, wrong)).to.not.deep.equal([]);
      }
      // the problems are about one model, so one network answers all of them by their own weights
      expect(built).to.equal(1);
      side.dispose();
    });
  }
});
