import { expect } from 'chai';
import { problemIdOf } from '../../../harness/examine/views';
import { scratchImplementation } from '../../../harness/sides/index';
import { generatedProblem } from '../../../harness/problems/generated';
import { runParity, type Observation } from '../../../harness/parity/index';
import type { Implementation } from '../../../harness/base/problem';

const twin: Implementation = { ...scratchImplementation(), name: 'twin' };
const sides = [
  { name: 'twin', required: true, open: () => Promise.resolve({ implementation: twin }) },
] as const;

describe('an observer of a run', () => {
  it('sees the results of every problem with all their numbers, and can ask the side more at its end', async () => {
    const problems = [generatedProblem(1, 0), generatedProblem(1, 1)];
    const seen: Observation[] = [];
    let asked = false;
    const report = await runParity({
      sides,
      problems,
      observer: {
        judged: (observation) => seen.push(observation),
        sideDone: async (implementation) => {
          asked = (await implementation.evaluate(problems[0])).states !== undefined;
        },
      },
    });
    const results = report.cases.filter(({ caseId }) => problemIdOf(caseId) === caseId);
    expect(seen.map(({ verdict }) => verdict)).to.deep.equal(results);
    expect(seen.map(({ problem }) => problem.id)).to.deep.equal(problems.map(({ id }) => id));
    for (const { reference, answer } of seen) expect(answer.states).to.deep.equal(reference.states);
    expect(asked).to.equal(true);
  });

  it('problems of the user run instead of the suite; --only selects from them as well', async () => {
    const problems = [generatedProblem(1, 0), generatedProblem(1, 1)];
    const report = await runParity({ sides, problems, only: '*/001' });
    expect(report.cases.map(({ caseId }) => caseId)).to.deep.equal([
      'generated/001',
      'generated/001, step by step',
      'generated/001, weight probe',
      'generated/001, asked again',
    ]);
    expect(report).to.include({ verdict: 'parity', complete: false });
    const failed = await runParity({ sides, problems: [] }).catch((error: unknown) => String(error));
    expect(failed).to.include('there is no case to run');
  });
});
