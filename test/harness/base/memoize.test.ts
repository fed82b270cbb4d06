import { expect } from 'chai';
import { referenceAnswer } from '../../../harness/sides/index';
import { budgetFor } from '../../../harness/budget/budget';
import { precisionModels } from '../../../harness/budget/precision-model';
import { problemForLocalJudgement } from '../../../harness/judge/index';
import { weightProbe } from '../../../harness/examine/weight-probe';
import { memoize } from '../../../harness/base/memoize';
import { generatedProblem } from '../../../harness/problems/generated';
import { runParity } from '../../../harness/parity/index';
import { mapProblem, roundProblem, type Problem } from '../../../harness/base/problem';

describe('once per problem', () => {
  it('computes once for each object, also when the result is nothing, and for an equal object again', () => {
    let times = 0;
    const of = memoize((key: { a: number }): number | undefined => {
      times += key.a;
      return undefined;
    });
    const key = { a: 1 };
    for (let i = 0; i < 3; i++) expect(of(key)).to.equal(undefined);
    expect(times).to.equal(1);
    of({ a: 1 });
    expect(times).to.equal(2);
  });

  it('a problem that single precision holds is rounded to itself; -0 is not rounded to 0', () => {
    const problem = generatedProblem(1, 0);
    expect(roundProblem(problem)).to.equal(problem);
    const finer = mapProblem(problem, (x) => x / 3);
    expect(roundProblem(finer)).not.to.equal(finer);
    expect(roundProblem(roundProblem(finer))).to.equal(roundProblem(finer));
    const zeros = mapProblem(problem, () => -0);
    expect(Object.is(roundProblem(zeros).inputs.data[0], -0)).to.equal(true);
  });

  it('budgets are distinguished by their constants', () => {
    const problem = generatedProblem(1, 1);
    const { wasm, cpu } = precisionModels;
    expect(budgetFor(problem, wasm)).to.equal(budgetFor(problem, wasm));
    expect(budgetFor(problem, wasm)).not.to.equal(budgetFor(problem, cpu));
    const sigmaOf = (model: typeof wasm | typeof cpu) => budgetFor(problem, model).spread('states').sigma;
    expect(sigmaOf(wasm)).not.to.deep.equal(sigmaOf(cpu));
  });

  it('every side of a run is put the same problems, and judged against the same answers', async () => {
    const asked = new Map<string, Problem[]>();
    const side = (name: string) => ({
      name,
      required: true,
      open: () =>
        Promise.resolve({
          implementation: {
            name,
            precision: 'float32' as const,
            evaluate: (problem: Problem) => {
              asked.set(name, [...(asked.get(name) ?? []), problem]);
              return referenceAnswer(problem);
            },
          },
        }),
    });
    const problems = [mapProblem(generatedProblem(1, 2), (x) => x / 3)];
    const report = await runParity({ sides: [side('one'), side('other')], problems });
    expect(report.verdict).to.equal('parity');
    const [plain, , probe] = asked.get('one') ?? [];
    expect(asked.get('other')?.[0]).to.equal(plain);
    expect(asked.get('other')?.[2]).to.equal(probe);
    expect(weightProbe(plain)).to.equal(probe);
    expect(problemForLocalJudgement(plain)).to.equal(problemForLocalJudgement(plain));
  });
});
