import { expect } from 'chai';
import { parityOf } from '../../../harness/parity/assert/assert-parity';
import { formatFailure, formatSummary, type ParityReport } from '../../../harness/parity/index';
import { generatedProblem } from '../../../harness/problems/generated';
import { scratchImplementation, type SideSource } from '../../../harness/sides/index';
import type { Evaluation, Implementation, Problem } from '../../../harness/base/problem';

const host = scratchImplementation();
const problems = Array.from({ length: 12 }, (_, i) => generatedProblem(1, i));

/** What a run finds of a side that answers as scratch does, but for `change`. */
async function reportOn(
  change: (problem: Problem, answer: Evaluation, call: number) => Evaluation,
  more: Partial<Implementation> = {},
  chosen: readonly Problem[] = problems,
): Promise<ParityReport> {
  let call = 0;
  const evaluate = async (problem: Problem): Promise<Evaluation> =>
    change(problem, await host.evaluate(problem), call++);
  const implementation = { ...host, name: 'mine', evaluate, ...more };
  const side: SideSource = { name: 'mine', required: true, open: () => Promise.resolve({ implementation }) };
  return parityOf(side, { problems: chosen });
}

type Tensor = NonNullable<Evaluation['states']>;
const scaled = (tensor: Tensor | undefined, factor: number): Tensor => {
  if (tensor === undefined) throw new Error('no such tensor');
  return { ...tensor, data: tensor.data.map((x) => factor * x) };
};
const gradientsBy = (answer: Evaluation, factor: number): Evaluation =>
  answer.gradients === undefined
    ? answer
    : {
        ...answer,
        gradients: Object.fromEntries(
          Object.entries(answer.gradients).map(([name, tensor]) => [name, scaled(tensor, factor)]),
        ),
      };

describe('the text of a failure', () => {
  const patterns: [title: string, change: Parameters<typeof reportOn>[0], says: RegExp][] = [
    [
      'a factor that is the batch size',
      ({ inputs }, answer) => gradientsBy(answer, inputs.shape[0]),
      /given \/ expected is B in the worst element of every failing tensor/,
    ],
    [
      'a constant factor close to 1',
      (_, answer) => gradientsBy(answer, 1 + 1e-6),
      /given \/ expected is 1\.000001 in the worst element/,
    ],
    [
      'a logarithm to base 2',
      (_, answer) => ({ ...answer, ...(answer.loss && { loss: scaled(answer.loss, Math.LOG2E) }) }),
      /given \/ expected is 1\/ln 2, a logarithm to base 2/,
    ],
    ['another sign', (_, answer) => gradientsBy(answer, -1), /given \/ expected is -1, another sign/],
    [
      'that only batches of odd size fail',
      ({ inputs, id }, answer) =>
        inputs.shape[0] % 2 === 1 && !id.includes(', ')
          ? { ...answer, states: scaled(answer.states, 1.001) }
          : answer,
      /only problems with B odd fail: all \d+ of them, and none of the \d+ without/,
    ],
    [
      'that only long sequences fail',
      ({ inputs, id }, answer) =>
        inputs.shape[1] > 7 && !id.includes(', ')
          ? { ...answer, states: scaled(answer.states, 1.001) }
          : answer,
      /only problems with T > 7 fail/,
    ],
  ];
  for (const [title, change, says] of patterns) {
    it(`says ${title}, in at most 25 lines`, async () => {
      const text = formatFailure(await reportOn(change));
      expect(text).to.match(says);
      expect(text.split('\n').length).to.be.at.most(25);
    });
  }

  it('says that a side answers differently when it is asked again', async () => {
    const [first] = problems;
    let calls = 0;
    const report = await reportOn(
      (problem, answer) =>
        problem.id === first.id && problem.inputs.data.length === first.inputs.data.length && ++calls > 2
          ? { ...answer, states: scaled(answer.states, 1.01) }
          : answer,
      {},
      [first],
    );
    expect(report.verdict).to.equal('mismatch');
    expect(formatSummary(report)).to.include('random, or a memory of earlier calls');
  });

  it('guesses half precision where products have 11 bits and no fault explains them', async () => {
    const half = (x: number): number => {
      const scale = 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 10);
      return Math.round(x / scale) * scale;
    };
    const report = await reportOn((_, answer) => ({
      ...answer,
      ...(answer.states && {
        states: { ...answer.states, data: answer.states.data.map((x) => half(half(x) * 1.0005)) },
      }),
    }));
    expect(report.diagnoses.map(({ kind }) => kind)).to.deep.equal([undefined]);
    expect(formatSummary(report)).to.include(
      'errors of the size of 11-bit products: TF32 or half precision?',
    );
  });

  it('explains an example of the weight probe by the weight that it shows', async () => {
    const chosen = [problems[3]];
    const report = await reportOn(
      (_, answer) => answer,
      {
        evaluate: (problem) => {
          const { recurrentKernel } = problem.weights;
          const data = recurrentKernel.data.slice();
          data[1] *= 1 + 1e-13;
          const weights = { ...problem.weights, recurrentKernel: { ...recurrentKernel, data } };
          return host.evaluate({ ...problem, weights });
        },
      },
      chosen,
    );
    const text = formatSummary(report, { verbose: true });
    expect(text).to.include('the probe of recurrentKernel[0, 1]');
    expect(text).to.not.match(/weight probe at example/);
  });

  it('caps large numbers', async () => {
    const text = formatFailure(await reportOn((_, answer) => gradientsBy(answer, 1e30)));
    expect(text).to.include('more than 1e6 ULPs apart').and.include('used more than 1e6 times its budget');
    expect(text).to.not.match(/e\+\d\d+ (times|ULPs)/);
  });
});
