import { expect } from 'chai';
import { put, signatureOf, withFaultClass } from '../../../harness/fuzz/judge-problem';
import { fuzzCase, problemAt } from '../../../harness/fuzz/series';
import { shrinkFailure, type Shrunk } from '../../../harness/fuzz/shrink';
import { sizesOf, type Implementation, type Problem } from '../../../harness/base/problem';
import { sideWith } from './sides';

/** The time limit of the test, which grows with the load of the machine, ends what hangs. */
const patience = { seconds: 3600 };

/** The first failure of a side in a series, shrunk. */
async function firstShrunk(
  side: Implementation,
  seed = 2,
): Promise<Shrunk<Problem> & { readonly caseSeed: number }> {
  for (let i = 0; i < 60; i++) {
    const given = fuzzCase(seed, i);
    const found = await put(side, given.problem);
    if (signatureOf(found.verdict, given.problem) === undefined) continue;
    const named = await withFaultClass(side, found);
    const shrunk = await shrinkFailure(side, given, named, patience);
    expect(signatureOf(shrunk.finding.verdict, shrunk.problem)).to.equal(
      signatureOf(found.verdict, given.problem),
    );
    expect(shrunk.finding.verdict.kind).to.deep.equal(named.verdict.kind);
    return { ...shrunk, caseSeed: given.caseSeed };
  }
  throw new Error('no problem showed the fault');
}

describe('shrinking keeps the failure and ends where a person can compute it', () => {
  it("the notebook's first mistake, dh carried on twice: two steps of one unit, no number but 0 and 1", async () => {
    const { problem, finding, shrinking } = await firstShrunk(sideWith('carry/accumulated'));
    expect(finding.verdict).to.include({ phase: 'backward', tensor: 'dPreActivations' });
    expect(finding.verdict.kind).to.include('carry/accumulated');
    expect(sizesOf(problem)).to.deep.include({ batch: 1, timeSteps: 2, features: 1, units: 1 });
    expect([...problem.inputs.data, ...problem.weights.recurrentKernel.data].every((x) => x === 0 || x === 1))
      .to.be.true;
    expect(shrinking.ended).to.equal('no simpler');
  });

  it("the notebook's second mistake, the initial state's gradient lost: sizes of 2 at most, shown by the results", async () => {
    const { problem, finding } = await firstShrunk(sideWith('initial-state/gradient-lost'));
    expect(finding.verdict).to.include({ phase: 'backward', tensor: 'gradients.initialState' });
    expect(finding.verdict.failing.some(({ view }) => view === 'results')).to.equal(true);
    const { batch, timeSteps, features, units } = sizesOf(problem);
    expect(Math.max(batch, timeSteps, features, units)).to.be.at.most(2);
    expect(problem.weights.outputKernel).to.equal(undefined);
  });

  it('seed and path make the shrunk problem again', async () => {
    const { problem, shrinking, caseSeed } = await firstShrunk(
      sideWith('steps/state-after-for-state-before'),
    );
    expect(shrinking.path).to.match(/^0(:\d+)+$/);
    expect(problemAt(caseSeed, shrinking.path, problem.id)).to.deep.equal(problem);
  });

  it('what a side throws is shrunk as well, with the same message but for its numbers', async () => {
    const right = sideWith();
    const throws: Implementation = {
      ...right,
      evaluate: (problem) => {
        const { timeSteps } = sizesOf(problem);
        if (timeSteps > 2) throw new Error(`too long: ${timeSteps} steps`);
        return right.evaluate(problem);
      },
    };
    const { problem, finding } = await firstShrunk(throws);
    expect(finding.verdict).to.deep.include({ status: 'error', error: 'too long: 3 steps' });
    expect(sizesOf(problem)).to.deep.include({ batch: 1, timeSteps: 3, features: 1, units: 1 });
  });

  it('a failure that does not come again is not shrunk, and says so', async () => {
    const right = sideWith();
    const wrong = sideWith('carry/dropped');
    let calls = 0;
    const moody: Implementation = { ...right, evaluate: (p) => (calls++ < 3 ? wrong : right).evaluate(p) };
    const given = fuzzCase(2, 0);
    const found = await put(moody, given.problem);
    expect(found.verdict.status).to.equal('fail');
    const { problem, shrinking } = await shrinkFailure(moody, given, found, patience);
    expect(shrinking).to.deep.equal({ path: '0', tries: 1, ended: 'not repeatable' });
    expect(problem).to.deep.equal(given.problem);
  });

  it('a failure that no fault of the catalogue explains stays in its tensor, though a simpler problem fails in another', async () => {
    const right = sideWith();
    const twice: Implementation = {
      ...right,
      evaluate: async (problem) => {
        const answer = await right.evaluate(problem);
        if (sizesOf(problem).units > 1) answer.states?.data.fill(0.3);
        answer.finalState?.data.fill(0.7);
        return answer;
      },
    };
    const given = fuzzCase(2, 0);
    expect(sizesOf(given.problem).units).to.be.greaterThan(1);
    const found = await put(twice, given.problem);
    expect(found.verdict).to.include({ phase: 'forward', tensor: 'states' });
    const { problem, finding } = await shrinkFailure(twice, given, found, patience);
    expect(finding.verdict).to.include({ phase: 'forward', tensor: 'states' });
    expect(sizesOf(problem)).to.deep.include({ batch: 1, timeSteps: 1, features: 1, units: 2 });
  });
});
