import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import { firstExamples, makeProblem } from '../../../harness/bench/data';
import {
  describeVerdict,
  judgeEngine,
  makeReference,
  type Reference,
} from '../../../harness/bench/parity-gate';
import { decodeTensor, encodeTensor, encodeWeights } from '../../../harness/base/process/index';
import type { Checked } from '../../../harness/bench/process/protocol';
import { networkOf, parseSize, withLayers } from '../../../harness/bench/size';

for (const layers of [undefined, 'bidirectional(gru:3),lstm:4'])
  describe(`harness/bench parity gate, ${layers ?? 'simple RNN'}`, () => {
    let reference: Reference;
    let right: Checked;

    before(async () => {
      const plain = parseSize('B6T5F3U4C3');
      const size = layers === undefined ? plain : withLayers(plain, layers);
      const problem = await makeProblem(size, size.batch, 3);
      reference = makeReference(problem);
      const model = new ScratchNetwork({ ...networkOf(size), weights: problem.weights });
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
      const names = reference.problem.weights.flatMap((layer, i) =>
        Object.keys(layer).map((name) => `gradients.layer${i + 1}.${name}`),
      );
      expect(verdict.entries.map(({ name }) => name)).to.deep.equal([
        'forward1',
        'forward256',
        'loss',
        ...names,
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
    /** The answers with one weight of the layer below the output layer changed. */
    const nudged = (name: RegExp, by: (x: number) => number): Partial<Checked> => {
      const weights = [...(right.weights ?? [])];
      const i = weights.length - 2;
      const key = Object.keys(weights[i]).find((candidate) => name.test(candidate))!;
      const tensor = decodeTensor(weights[i][key]);
      weights[i] = { ...weights[i], [key]: encodeTensor({ ...tensor, data: tensor.data.map(by) }) };
      return { weights };
    };
    const last = layers === undefined ? 'gradients.layer1' : 'gradients.layer2';
    refuse('a loss that is off by a ten-thousandth', 'loss', () => ({ loss: 1.0001 * (right.loss ?? NaN) }));
    refuse('a loss that is not a number', 'loss', () => ({ loss: NaN }));
    refuse('weights that were not updated', `${last}.kernel`, () => ({
      weights: encodeWeights(reference.problem.weights),
    }));
    refuse('a gradient that is off by a ten-thousandth of a weight', `${last}.recurrentKernel`, () =>
      nudged(/^recurrentKernel/, (x) => 1.0001 * x),
    );
    refuse('a gradient that holds NaN', `${last}.kernel`, () => nudged(/^kernel/, () => NaN));
    refuse('a weight that is missing', `${last}.bias`, () => ({
      weights:
        right.weights?.map((layer) =>
          Object.fromEntries(Object.entries(layer).filter(([key]) => key !== 'bias')),
        ) ?? [],
    }));
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
