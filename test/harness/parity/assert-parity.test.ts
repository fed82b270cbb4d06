import { AssertionError } from 'node:assert';
import { expect, use } from 'chai';
import { assertParity, ParityAssertionError, quickSuite } from '../../../harness/parity/assert/index';
import { sharedQuickSuite } from '../../../harness/parity/assert/quick-suite';
import { parityChai } from '../../../harness/check/chai-plugin';
import type { Candidate, CandidateAnswer } from '../../../harness/sides/candidate/index';
import { SideUnavailableError, tfjsSide } from '../../../harness/sides/index';
import { UsageError } from '../../../harness/base/outcome';
import { generatedProblem, makeProblem } from '../../../harness/problems/generated';
import { sizesOf } from '../../../harness/base/problem';
import { catalogue } from '../../../harness/faults/index';
import { parseVectors } from '../../../harness/problems/vectors/index';
import { rightAnswer } from '../../support/right-candidate';

const right: Candidate = {
  name: 'mine',
  precision: 'float64',
  masks: true,
  evaluate: (problem) => rightAnswer(problem),
};
const carryless = catalogue.find(({ name }) => name === 'carry/dropped') ?? catalogue[0];
const wrong: Candidate = { ...right, evaluate: (problem) => rightAnswer(problem, carryless) };
const throwing: Candidate = {
  ...right,
  evaluate: () => {
    throw new Error('out of ink');
  },
};
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('assertParity', () => {
  it('resolves to the report for a candidate that is right', async () => {
    const report = await assertParity(right);
    expect(report).to.include({ verdict: 'parity', exitCode: 0 });
    expect(report.sides.map(({ name }) => name)).to.deep.equal(['mine']);
    expect(report.cases.map(({ caseId }) => caseId))
      .to.include('quick/mask')
      .and.include('quick/one-step');
    expect(report.cases.every(({ status }) => status === 'pass')).to.equal(true);
  });

  it('asks the next candidate the same, whatever one did to its problems', async () => {
    const spoiling: Candidate = {
      ...right,
      evaluate: (problem) => {
        const answer = rightAnswer(problem);
        problem.weights.kernel[0][0] = NaN;
        return answer;
      },
    };
    expect(await failureOf(assertParity(spoiling))).to.be.instanceOf(ParityAssertionError);
    await assertParity(right);
    const again = sharedQuickSuite({ seed: 3 });
    expect(sharedQuickSuite({ seed: 3 })).to.equal(again);
    expect(again).to.deep.equal(quickSuite({ seed: 3 }));
    expect(quickSuite({ seed: 3 })[0]).not.to.equal(again[0]);
    for (const seed of [4, 5, 6]) expect(sharedQuickSuite({ seed })).to.deep.equal(quickSuite({ seed }));
    expect(sharedQuickSuite({ seed: 3 })).not.to.equal(again);
  });

  it('no time limit of a test runner comes between: nothing else runs before the verdict is there', async () => {
    let elapsed = false;
    const limit = setTimeout(() => (elapsed = true), 1);
    const error = await failureOf(assertParity(wrong));
    expect(elapsed).to.equal(false);
    clearTimeout(limit);
    expect(error).to.be.instanceOf(ParityAssertionError);
    expect((error as ParityAssertionError).report.diagnoses).to.have.length(1);
  });

  it('takes a side instead of a candidate', async () => {
    const { sides } = await assertParity(tfjsSide('cpu', true));
    expect(sides.map(({ name }) => name)).to.deep.equal(['tfjs:cpu']);
  });

  it('fails for a side that this machine does not have, with the reason and how to get it', async () => {
    const missing = {
      name: 'tfjs:tensorflow',
      required: false,
      open: () => Promise.reject(new SideUnavailableError('it is not installed; run `npm install it`')),
    };
    const error = (await failureOf(assertParity(missing))) as ParityAssertionError;
    expect(error).to.be.instanceOf(ParityAssertionError);
    expect(error.report.verdict).to.equal('backend not run');
    expect(error.message).to.equal(
      [
        'NOT RUN: required, but not available: tfjs:tensorflow; nothing was compared',
        'tfjs:tensorflow: NOT RUN (required): it is not installed; run `npm install it`',
      ].join('\n'),
    );
  });

  it('throws an assertion error for one that is wrong: the verdict in front, then the numbers', async () => {
    const error = await failureOf(assertParity(wrong));
    expect(error).to.be.instanceOf(ParityAssertionError).and.instanceOf(AssertionError);
    const { message, actual, expected, report, code } = error as ParityAssertionError;
    const [verdict, ...lines] = message.split('\n');
    expect(verdict).to.match(/^MISMATCH: mine .*quick\//);
    expect(verdict.length).to.be.at.most(120);
    expect(lines.length).to.be.within(2, 24);
    expect(message).to.include('comparisons fail').and.not.include('rnn-parity parity');
    expect(code).to.equal('ERR_ASSERTION');
    expect(actual).to.be.a('number').and.not.equal(expected);
    expect(report.verdict).to.equal('mismatch');
  });

  // blind-spots.test.ts shows that the quick suite sees every fault
  for (const fault of catalogue.filter(({ name }) => /^carry\/(not-tr|never)|^slope\/missing/.test(name))) {
    it(`rejects ${fault.name}`, async () => {
      const faulty = {
        ...right,
        evaluate: (p: Parameters<Candidate['evaluate']>[0]) => rightAnswer(p, fault),
      };
      expect(await failureOf(assertParity(faulty))).to.be.instanceOf(ParityAssertionError);
    });
  }

  it('throws for a candidate that throws, with its words', async () => {
    const { message } = (await failureOf(assertParity(throwing))) as Error;
    expect(message).to.match(/^ERROR: mine, quick\/everything: mine threw: out of ink/);
  });

  it('a malformed candidate is a usage error', async () => {
    expect(await failureOf(assertParity({ ...right, precision: 'float16' as 'float32' }))).to.be.instanceOf(
      UsageError,
    );
  });

  it('a candidate that declares everything omitted proves nothing', async () => {
    const omits = ['states', 'finalState', 'logits', 'probabilities', 'loss', 'gradients'];
    const error = await failureOf(assertParity({ ...right, omits, evaluate: (): CandidateAnswer => ({}) }));
    expect((error as Error).message).to.match(
      /^ERROR: mine: nothing was compared that could have shown a fault/,
    );
  });

  it('a tensor that vanished in every problem is not shown to be right, and that is said', async () => {
    const vanishing = makeProblem({
      ...{
        id: 'vanishing',
        seed: 1,
        batch: 2,
        timeSteps: 120,
        features: 3,
        units: 4,
        classes: 5,
        scale: 0.01,
      },
      ...{ labels: false, upstreamStates: false, upstreamFinalState: true, initialState: true, mask: false },
    });
    // refuses to be looked at step by step, where the gradient is seen before it vanishes
    const shy: Candidate = {
      ...right,
      evaluate: (problem) => {
        if (problem.inputs[0].length !== 120 || problem.inputs[0][0].length !== 3) throw new Error('no');
        return rightAnswer(problem);
      },
    };
    const { message } = (await failureOf(assertParity(shy, { problems: [vanishing] }))) as Error;
    expect(message)
      .to.match(/^NOT SHOWN/)
      .and.include('mine never had to prove gradients.initialState');
    await assertParity(right, { problems: [vanishing, quickSuite()[0]] });
  });

  it('keeps the sizes of a layer that has its own', async () => {
    const sizes = { features: 2, units: 5, timeSteps: 6, batch: 3, classes: 4 };
    for (const { inputs, weights } of quickSuite({ sizes })) {
      expect(inputs.shape).to.deep.equal([3, 6, 2]);
      expect(weights.outputKernel?.shape).to.deep.equal([5, 4]);
    }
    const fixed: Candidate = {
      ...right,
      evaluate: (problem) => {
        if (problem.inputs[0][0].length !== 2) throw new Error('this layer has 2 features');
        return rightAnswer(problem);
      },
    };
    const { notes } = await assertParity(fixed, { sizes });
    expect(notes.join()).to.include('this layer has 2 features');
  });

  it('takes problems, vectors, plain tolerances and a seed', async () => {
    const { cases } = await assertParity(right, { problems: [generatedProblem(1, 1)] });
    expect(cases[0].caseId).to.equal('generated/001');
    expect(cases.every(({ caseId }) => caseId.startsWith('generated/001'))).to.equal(true);
    const rough: Candidate = {
      ...right,
      evaluate: (problem) => {
        const answer = rightAnswer(problem);
        return { ...answer, loss: answer.loss === undefined ? undefined : answer.loss * (1 + 1e-7) };
      },
    };
    expect(await failureOf(assertParity(rough))).to.be.instanceOf(ParityAssertionError);
    await assertParity(rough, { tolerance: { absolute: 1e-5, relative: 1e-5 }, seed: 9 });
    const text = (expected: number): string =>
      JSON.stringify({
        format: 'rnn-parity-vectors/1',
        cases: [
          {
            id: 'one',
            problem: { inputs: [[[0.5]]], weights: { kernel: [[1]], recurrentKernel: [[1]], bias: [0] } },
            expected: { finalState: [[expected]] },
          },
        ],
      });
    await assertParity(right, { vectors: parseVectors(text(Math.tanh(0.5)), 'v') });
    const failed = await failureOf(assertParity(right, { vectors: parseVectors(text(0.46), 'v') }));
    expect((failed as ParityAssertionError).expected).to.equal(0.46);
  });

  it('the quick suite: no symmetric sizes, another seed other numbers, without labels no output layer', () => {
    const [first, second] = [1, 2].map((seed) => quickSuite({ seed }));
    expect(first.map(({ id }) => id)).to.deep.equal(second.map(({ id }) => id));
    expect(first[0].inputs).to.not.deep.equal(second[0].inputs);
    expect(sizesOf(first[0])).to.deep.equal({ batch: 4, timeSteps: 20, features: 3, units: 16, classes: 5 });
    for (const { labels, upstream, weights } of quickSuite({ labels: false })) {
      expect(labels ?? weights.outputKernel).to.equal(undefined);
      expect(upstream).to.not.equal(undefined);
    }
  });
});

describe('the chai plugin', () => {
  before(() => {
    use(parityChai);
  });

  it('expect(candidate).to.have.parity()', async () => {
    expect(await expect(right).to.have.parity()).to.include({ verdict: 'parity' });
    const error = await failureOf(expect(wrong).to.have.parity({ seed: 4 }));
    expect(error).to.be.instanceOf(ParityAssertionError);
    expect((error as Error).message).to.match(/^MISMATCH: mine/);
  });

  it('.not: a candidate that must be found wrong; one that throws is neither', async () => {
    expect(await expect(wrong).to.not.have.parity()).to.include({ verdict: 'mismatch' });
    const surprise = (await failureOf(expect(right).to.not.have.parity())) as Error;
    expect(surprise.message).to.match(/^expected a mismatch, but PARITY/);
    const thrown = (await failureOf(expect(throwing).to.not.have.parity())) as Error;
    expect(thrown.message).to.match(/^ERROR: mine/);
  });
});
