import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { tensorOf, type Evaluation, type LayeredProblem } from '../../../harness/base/problem';
import { asOutcome, equationsOf } from '../../../harness/equations/index';
import { makeLayeredProblem } from '../../../harness/problems/index';
import { byModel } from '../../../harness/sides/index';
import type { LayerConfig } from '../../../scratch/index';
import {
  GraphNetwork,
  loadBackend,
  openSessions,
  SharedGraphs,
  type LoadedBackend,
} from '../../../src/index';
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

function withOneMore(layer: LayerConfig): LayerConfig {
  if (layer.layer === 'bidirectional')
    return { ...layer, wrapped: withOneMore(layer.wrapped) as typeof layer.wrapped };
  return 'units' in layer ? { ...layer, units: layer.units + 1 } : layer;
}

describe('graph/network, by the budgets of the formulas', () => {
  let backend: LoadedBackend;
  before(async () => (backend = await loadBackend('tensorflow')));

  const problemOf = (layers: readonly LayerConfig[], seed: number, features = 3): LayeredProblem =>
    makeLayeredProblem({
      id: `${layers.map(({ layer }) => layer).join()}-${seed}`,
      seed,
      model: { features, layers: [...layers, { layer: 'dense', units: features }] },
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
      const graphs = new SharedGraphs();
      const side = byModel((options) => new GraphNetwork({ backend, loop: 'while', graphs, ...options }));
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
      // one graph serves networks of other sizes
      const open = openSessions(backend);
      const wider = problemOf(layers.map(withOneMore), 1, 5);
      expect(blamedIn(wider, side.evaluate(wider))).to.deep.equal([]);
      expect(openSessions(backend)).to.equal(open);
      // and a network that has asked opens it again where it was closed meanwhile
      const network = new GraphNetwork({ backend, graphs, features: 2, layers });
      const ask = () => network.run({ data: [1, 2], shape: [1, 1, 2] }).logits.data;
      const before = ask();
      graphs.dispose();
      expect(ask()).to.deep.equal(before);
      network.dispose();
      graphs.dispose();
    });
  }
});
