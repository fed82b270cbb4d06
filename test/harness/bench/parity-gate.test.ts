import { expect } from 'chai';
import { ScratchSimpleRNNClassifier } from '../../../scratch/index';
import { firstExamples, makeProblem } from '../../../harness/bench/data';
import {
  describeVerdict,
  judgeEngine,
  makeReference,
  type Reference,
} from '../../../harness/bench/parity-gate';
import {
  decodeTensor,
  encodeTensor,
  encodeWeights,
  type Checked,
} from '../../../harness/bench/process/protocol';
import { parseSize } from '../../../harness/bench/size';

describe('harness/bench parity gate', () => {
  let reference: Reference;
  let right: Checked;

  before(async () => {
    const size = parseSize('B6T5F3U4C3');
    const { features, units, classes } = size;
    const problem = await makeProblem(size, size.batch, 3);
    reference = makeReference(problem);
    const model = new ScratchSimpleRNNClassifier({ features, units, classes, weights: problem.weights });
    model.compile({ optimizer: 'sgd', learningRate: 1 });
    const { inputs, labels } = firstExamples(problem, size.batch);
    const { loss } = model.trainOnBatch(inputs, labels);
    right = {
      scores: 'probabilities',
      forward1: encodeTensor(reference.probabilities1),
      forward256: encodeTensor(reference.probabilities256),
      loss,
      weights: encodeWeights(model.getWeights()),
    };
  });

  it('lets the right answers pass, rounded to float32 as they are', () => {
    const verdict = judgeEngine(reference, right);
    expect(verdict.passed, describeVerdict(verdict)).to.equal(true);
    expect(verdict.entries.map(({ name }) => name)).to.deep.equal([
      'forward1',
      'forward256',
      'loss',
      'gradients.kernel',
      'gradients.recurrentKernel',
      'gradients.bias',
      'gradients.outputKernel',
      'gradients.outputBias',
    ]);
    for (const { allowed } of verdict.entries) expect(allowed).to.be.above(0);
  });

  it('puts logits through softmax', () => {
    const logits = {
      ...reference.probabilities1,
      data: reference.probabilities1.data.map((p) => 7 + Math.log(p)),
    };
    const verdict = judgeEngine(reference, { scores: 'logits', forward1: encodeTensor(logits) });
    expect(verdict.passed).to.equal(true);
  });

  const refuse = (what: string, name: string, change: () => Partial<Checked>): void => {
    it(`stops ${what}`, () => {
      const verdict = judgeEngine(reference, { ...right, ...change() });
      expect(verdict.passed).to.equal(false);
      const stopped = verdict.entries.filter(({ difference, allowed }) => !(difference <= allowed));
      expect(stopped.map((entry) => entry.name)).to.include(name);
    });
  };
  const nudged = (name: 'kernel' | 'recurrentKernel', by: (x: number) => number): Partial<Checked> => {
    const { weights } = right;
    if (weights === undefined) throw new Error('no weights');
    const tensor = decodeTensor(weights[name]);
    return { weights: { ...weights, [name]: encodeTensor({ ...tensor, data: tensor.data.map(by) }) } };
  };
  refuse('a loss that is off by a ten-thousandth', 'loss', () => ({ loss: 1.0001 * (right.loss ?? NaN) }));
  refuse('a loss that is not a number', 'loss', () => ({ loss: NaN }));
  refuse('weights that were not updated', 'gradients.kernel', () => ({
    weights: encodeWeights(reference.problem.weights),
  }));
  refuse('a gradient that is off by a ten-thousandth of a weight', 'gradients.recurrentKernel', () =>
    nudged('recurrentKernel', (x) => 1.0001 * x),
  );
  refuse('a gradient that holds NaN', 'gradients.kernel', () => nudged('kernel', () => NaN));
  refuse('scores of the wrong shape', 'forward1', () => ({
    forward1: encodeTensor(reference.probabilities256),
  }));
  refuse('scores of other examples', 'forward256', () => ({
    forward256: encodeTensor({
      ...reference.probabilities256,
      data: Float64Array.from(reference.probabilities256.data).reverse(),
    }),
  }));

  it('refuses to compare nothing', () => {
    expect(() => judgeEngine(reference, { scores: 'logits' })).to.throw(RangeError, 'proves nothing');
  });
});
