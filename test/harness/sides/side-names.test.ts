import { expect } from 'chai';
import { parseSideNames, sideNames, sideSource, usesLibrary } from '../../../harness/sides/index';
import { UsageError } from '../../../harness/base/outcome';
import { generatedProblem } from '../../../harness/problems/generated';
import { runParity } from '../../../harness/parity/index';
import { trainingRules } from '../../../harness/judge/updates/training-checks';
import { sizesOf, tensorOf } from '../../../harness/base/problem';
import type { ClassifierWeights } from '../../../scratch/index';

describe('the names of the sides', () => {
  it('each is read back, and makes the side of its name', () => {
    expect(parseSideNames(sideNames.join(', '))).to.deep.equal(sideNames);
    for (const name of sideNames)
      expect(sideSource(name, false).name).to.equal(name === 'graph' ? name : `tfjs:${name}`);
    expect(() => parseSideNames('wasm,graph:bptt')).to.throw(UsageError, /"graph:bptt".*wasm:bptt/);
    for (const list of ['cpu,', ',cpu', 'cpu,,wasm', ''])
      expect(() => parseSideNames(list)).to.throw(UsageError, `--backends ${list}: a name is missing`);
  });

  it('tells what runs inside the native library', () => {
    const inside = sideNames.filter(usesLibrary);
    expect(inside).to.deep.equal(['tensorflow', 'graph', 'tensorflow:bptt']);
  });

  it(':bptt is another way to the same gradients, in answers and in training: it rounds otherwise, and is judged right', async () => {
    const sides = await Promise.all(
      (['cpu', 'cpu:bptt'] as const).map((name) => sideSource(name, true).open()),
    );
    const problem = generatedProblem(1, 7);
    const kernels = [];
    for (const { implementation } of sides)
      kernels.push(tensorOf(await implementation.evaluate(problem), 'gradients.kernel')?.data);
    const [one, other] = kernels;
    expect(one).not.to.deep.equal(other);

    const { features, units, classes = 0 } = sizesOf(problem);
    const shape = { features, units, classes, weights: problem.weights as ClassifierWeights };
    const [trained, trainedByHand] = sides.map(({ createClassifier }) => {
      const model = createClassifier?.(shape);
      const { gradients } = model?.lossAndGradients(problem.inputs, problem.labels ?? []) ?? {};
      model?.dispose();
      return gradients?.kernel.data;
    });
    expect(trained)
      .to.have.length(features * units)
      .and.not.to.deep.equal(trainedByHand);

    // one first update by each rule
    const report = await runParity({ backends: ['cpu:bptt'], only: '*p/*first' });
    expect(report).to.include({ verdict: 'parity' });
    expect(report.cases).to.have.length(Object.keys(trainingRules).length);
    expect(report.sides[0]).to.include({ name: 'tfjs:cpu:bptt', status: 'ran', required: true });
  });
});
