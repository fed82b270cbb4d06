import { expect } from 'chai';
import { budgetFor } from '../../../harness/budget/budget';
import { precisionModels } from '../../../harness/budget/precision-model';
import { compareEvaluation, isGreen } from '../../../harness/judge/index';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import type { Evaluation } from '../../../harness/base/problem';
import { loadBackend, type LoadedBackend } from '../../../src/index';
import { evaluateWithGraph, GraphEvaluator, openSessions } from '../../../src/graph/index';

describe('graph/evaluate', () => {
  let backend: LoadedBackend;
  before(async () => (backend = await loadBackend('tensorflow')));

  for (const loop of ['unrolled', 'while'] as const) {
    it(`is the scratch network's function, ${loop}: 150 generated problems within their budgets`, () => {
      const evaluator = new GraphEvaluator(backend, loop);
      const tensors = backend.tf.memory().numTensors;
      let green = 0;
      for (let i = 0; i < 150; i++) {
        const problem = adversarialProblem(21, i, { largest: { timeSteps: 12 } });
        const { evaluation } = budgetFor(problem, precisionModels.tensorflow);
        const given = evaluator.evaluate(problem) as Evaluation;
        const verdict = compareEvaluation(problem, evaluation, given, {
          name: 'graph',
          precision: 'float32',
        });
        // ill: rounding swallows the signal, on every side
        const red = verdict.tensors.filter((tensor) => !isGreen(tensor) && tensor.status !== 'ill');
        expect(red, problem.id).to.deep.equal([]);
        green += verdict.tensors.filter(isGreen).length;
      }
      expect(green).to.be.above(1000);
      expect(backend.tf.memory().numTensors).to.equal(tensors);
      evaluator.dispose();
    });
  }

  it('keeps a bounded number of sessions and closes them all', () => {
    const before = openSessions(backend);
    const evaluator = new GraphEvaluator(backend);
    for (let i = 0; i < 45; i++) evaluator.evaluate(adversarialProblem(22, i, { largest: { units: 4 } }));
    expect(openSessions(backend) - before).to.equal(32);
    evaluator.dispose();
    expect(openSessions(backend)).to.equal(before);
  });

  const fine = adversarialProblem(23, 0, { plain: true });
  const wrong: [string, object, RegExp][] = [
    [
      'labels without an output layer',
      { weights: without(fine.weights) },
      /there are \d+ labels but no outputKernel/,
    ],
    [
      'half an output layer',
      { weights: { ...fine.weights, outputBias: undefined } },
      /weights has outputKernel alone/,
    ],
    ['a label out of range', { labels: fine.labels?.map(() => 99) }, /evaluate: labels holds 99/],
    ['NaN', { inputs: { ...fine.inputs, data: fine.inputs.data.map(() => NaN) } }, /inputs holds NaN/],
    ['more than single precision holds', { inputs: scaled(1e39) }, /beyond the largest float32 number/],
  ];
  for (const [what, change, message] of wrong) {
    it(`refuses ${what}, and leaks nothing`, () => {
      const before = [backend.tf.memory().numTensors, openSessions(backend)];
      expect(() => evaluateWithGraph(backend, { ...fine, ...change })).to.throw(RangeError, message);
      expect([backend.tf.memory().numTensors, openSessions(backend)]).to.deep.equal(before);
    });
  }

  function scaled(factor: number) {
    return { ...fine.inputs, data: fine.inputs.data.map(() => factor) };
  }
  function without({ kernel, recurrentKernel, bias }: typeof fine.weights) {
    return { kernel, recurrentKernel, bias };
  }
});
