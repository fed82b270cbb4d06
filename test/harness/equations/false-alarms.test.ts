import { expect } from 'chai';
import { precisionModelOf } from '../../../harness/budget/index';
import { gru, gruResetAfter, lstm, simpleRnn, type Cell } from '../../../harness/equations/index';
import { instrument } from '../../../harness/equations/instrument';
import type { NetworkProblem } from '../../../harness/equations/network';
import { describeOnBackends } from '../../support/backends';
import { worstOfResults, worstOfSteps } from './alarms';
import { generatedProblem, oneLayer, problemKinds } from './generated';
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
      problemKinds.forEach((kind, i) => {
        const network = oneLayer(cell, 1 + (i % 4), 2 + (i % 5));
        const problem = generatedProblem(network, 40 + i, {
          kind,
          scale: [0.3, 1, 2][i % 3],
          timeSteps: 2 + (i % 4),
          batch: 1 + (i % 4),
          upstream: i % 2 === 0,
          initial: i % 3 > 0,
        });
        const results = worstOfResults(
          network,
          problem,
          tfjsAnswer(backend(), side, network, problem),
          model,
        );
        expect(results.share, `${kind}: ${results.at}`).to.be.at.most(1);
        const asked = instrument(network, problem);
        expect(asked?.probes, 'an LSTM or a GRU shows its inner gradients').to.not.equal(undefined);
        if (asked === undefined) return;
        const steps = worstOfSteps(
          network,
          problem,
          tfjsAnswer(backend(), side, asked.network, asked.problem),
          model,
        );
        expect(steps.share, `${kind}, step by step: ${steps.at}`).to.be.at.most(1);
      });
    });

  it('and a damaged weight is not: results and steps name where it begins', () => {
    const model = precisionModelOf({ name: `tfjs:${backend().name}`, precision: 'float32' });
    const network = oneLayer(lstm(), 3, 4);
    const problem = generatedProblem(network, 7, { upstream: true });
    const asked = instrument(network, problem);
    if (asked === undefined) throw new Error('an LSTM can be instrumented');
    const answer = (change: (p: NetworkProblem) => NetworkProblem) =>
      [
        worstOfResults(
          network,
          problem,
          tfjsAnswer(backend(), { kind: 'lstm' }, network, change(problem)),
          model,
        ),
        worstOfSteps(
          network,
          problem,
          tfjsAnswer(backend(), { kind: 'lstm' }, asked.network, change(asked.problem)),
          model,
        ),
      ] as const;
    for (const one of answer((p) => p)) expect(one.share).to.be.at.most(1);
    const [results, steps] = answer((p) => {
      const { rnn, head } = p.weights;
      const data = rnn['recurrentKernel'].data.slice();
      data[5] *= 1.001;
      return {
        ...p,
        weights: { head, rnn: { ...rnn, recurrentKernel: { ...rnn['recurrentKernel'], data } } },
      };
    });
    expect(results.share).to.be.above(1);
    expect(steps.share).to.be.above(1);
  });
});
