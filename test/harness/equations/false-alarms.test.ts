import { expect } from 'chai';
import { precisionModelOf } from '../../../harness/budget/index';
import { gru, gruResetAfter, lstm, simpleRnn, type Cell } from '../../../harness/equations/index';
import { instrument } from '../../../harness/equations/instrument';
import type { NetworkProblem } from '../../../harness/equations/network';
import { describeOnBackends } from '../../support/backends';
import { blamed, judgeEveryStep, judgeResults } from './alarms';
import { generatedProblem, oneLayer, testedKinds } from './generated';
import { tfjsAnswer, type TfjsCell } from './tfjs-side';

const cells: Readonly<Record<string, { readonly side: TfjsCell; readonly cell: Cell }>> = {
  'simple RNN': { side: { kind: 'simple-rnn' }, cell: simpleRnn() },
  LSTM: { side: { kind: 'lstm' }, cell: lstm() },
  'LSTM, hard sigmoid': {
    side: { kind: 'lstm', recurrentActivation: 'hardSigmoid' },
    cell: lstm({ recurrentActivation: 'hardSigmoid' }),
  },
  GRU: { side: { kind: 'gru' }, cell: gru() },
  'GRU, hard sigmoid': {
    side: { kind: 'gru', recurrentActivation: 'hardSigmoid' },
    cell: gru({ recurrentActivation: 'hardSigmoid' }),
  },
  'GRU, reset after': { side: { kind: 'gru-reset-after' }, cell: gruResetAfter() },
};

describeOnBackends("TensorFlow.js's own layers are right by the budgets of the formulas", (backend) => {
  for (const [name, { side, cell }] of Object.entries(cells))
    it(`${name}: by results and equation by equation`, () => {
      const model = precisionModelOf({ name: `tfjs:${backend().name}`, precision: 'float32' });
      testedKinds.forEach((kind, i) => {
        const network = oneLayer(cell, 1 + (i % 4), 2 + (i % 5));
        const problem = generatedProblem(network, 40 + i, {
          kind,
          scale: [0.3, 1, 2][i % 3],
          timeSteps: 2 + (i % 4),
          batch: 1 + (i % 4),
          upstream: i % 2 === 0,
          masked: i % 3 === 2,
          initial: i % 3 > 0,
        });
        const results = tfjsAnswer(backend(), side, network, problem);
        expect(blamed(judgeResults(network, problem, results, model)), kind).to.deep.equal([]);
        const asked = instrument(network, problem);
        if (asked === undefined) throw new Error('an LSTM or a GRU shows its inner gradients');
        const steps = tfjsAnswer(backend(), side, asked.network, asked.problem);
        expect(blamed(judgeEveryStep(network, problem, steps, model)), `${kind}, step by step`).to.deep.equal(
          [],
        );
      });
    });

  it('and a damaged weight is not: results and steps name where it begins', () => {
    const model = precisionModelOf({ name: `tfjs:${backend().name}`, precision: 'float32' });
    const network = oneLayer(lstm(), 3, 4);
    const problem = generatedProblem(network, 7, { upstream: true });
    const asked = instrument(network, problem);
    if (asked === undefined) throw new Error('an LSTM can be instrumented');
    const found = (change: (p: NetworkProblem) => NetworkProblem) => {
      const results = tfjsAnswer(backend(), { kind: 'lstm' }, network, change(problem));
      const steps = tfjsAnswer(backend(), { kind: 'lstm' }, asked.network, change(asked.problem));
      return [
        blamed(judgeResults(network, problem, results, model)),
        blamed(judgeEveryStep(network, problem, steps, model)),
      ];
    };
    expect(found((p) => p)).to.deep.equal([[], []]);
    const [results, steps] = found((p) => {
      const { rnn, head } = p.weights;
      const data = rnn['recurrentKernel'].data.slice();
      data[5] *= 1.001;
      return {
        ...p,
        weights: { head, rnn: { ...rnn, recurrentKernel: { ...rnn['recurrentKernel'], data } } },
      };
    });
    expect(results[0]).to.match(/^states\.rnn differs/);
    expect(steps[0]).to.match(/^rnn\.h differs/);
  });
});
