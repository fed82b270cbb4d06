import { expect } from 'chai';
import { compareEvaluation } from '../../../harness/judge/index';
import { grow, makeLayeredProblem } from '../../../harness/problems/index';
import { expectedShape } from '../../../harness/base/problem';
import { referenceAnswer } from '../../../harness/sides/reference/index';

describe('a problem about layers in larger sizes', () => {
  const problem = makeLayeredProblem({
    ...{ id: 'every step', seed: 3, batch: 2, timeSteps: 1 },
    model: {
      features: 2,
      layers: [
        { layer: 'gru', units: 2, returnSequences: true },
        { layer: 'dense', units: 3 },
      ],
    },
  });

  it('has a label for each of its steps, those of added examples of the next class', () => {
    const larger = grow(problem, { example: 4, timeStep: 2 });
    const [first = 0, second = 0] = problem.labels ?? [];
    const next = [first, second].map((label) => (label + 1) % 3);
    expect(larger.labels).to.deep.equal([first, second, ...next].flatMap((label) => [label, label]));
    expect(expectedShape(larger, 'logits')).to.deep.equal([4, 2, 3]);
    expect(referenceAnswer(larger).loss?.data).to.satisfy(([loss]: Float64Array) => Number.isFinite(loss));
  });

  it('has more features as well, which its model is then about', () => {
    const larger = grow(problem, { feature: 3 });
    expect(larger.model.features).to.equal(3);
    expect(expectedShape(larger, 'gradients.inputs')).to.deep.equal([2, 1, 3]);
    expect(referenceAnswer(larger).gradients).to.not.equal(undefined);
  });

  it('whose final states are summed over the batch is explained, as of the simple RNN', () => {
    const right = referenceAnswer(problem);
    const summed = { data: Float64Array.of(1, 2), shape: [2] };
    const wrong = { ...right, finalStates: [{ h: summed }, {}] };
    const { tensors } = compareEvaluation(problem, right, wrong, { name: 'mine', precision: 'float64' });
    expect(tensors.find(({ tensor }) => tensor === 'finalStates.layer1.h')?.reason).to.include(
      'one row for each example (was it summed over the batch?)',
    );
  });
});
