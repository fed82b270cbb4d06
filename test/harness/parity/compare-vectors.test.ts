import { expect } from 'chai';
import { roundProblem, type Evaluation, type Problem } from '../../../harness/base/problem';
import { fuzzCase } from '../../../harness/fuzz/series';
import { type CaseVerdict, type Side } from '../../../harness/judge/index';
import { compareVectors, singlePrecisionNames } from '../../../harness/parity/compare-vectors';
import { runParity } from '../../../harness/parity/index';
import { adversarialProblem, type GeneratedOptions } from '../../../harness/problems/adversarial';
import { referenceAnswer } from '../../../harness/sides/index';
import { evaluateWithTfjs } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { honestForms, honestProgram } from '../judge/honest-programs';

const scratch: Side = { name: 'scratch', precision: 'float64' };
const gaussian: GeneratedOptions = { kinds: ['gaussian'], scales: [0.3, 1], normalized: true, plain: true };

function compare(problem: Problem, expected: Evaluation, given: Evaluation, side: Side): CaseVerdict {
  const solved = side.precision === 'float32' ? roundProblem(problem) : problem;
  const vector = { id: problem.id, source: 'numbers.npz', problem, expected, tolerance: new Map() };
  const exact = referenceAnswer(problem);
  return compareVectors({ vector, solved, exact, reference: referenceAnswer(solved), given, side });
}

const failing = ({ tensors }: CaseVerdict): string[] =>
  tensors.filter(({ status }) => status !== 'pass' && status !== 'zero').map(({ tensor }) => tensor);

describeOnBackends('numbers from elsewhere on a real side', (backend) => {
  it('blame no side where sigma misses what happens: a gradient that cancels to zero (fuzz/2027/1480)', () => {
    const { problem } = fuzzCase(2027, 1480);
    const side: Side = { name: `tfjs:${backend().name}`, precision: 'float32' };
    const { tensors } = compare(
      problem,
      referenceAnswer(problem),
      evaluateWithTfjs(backend(), problem),
      side,
    );
    expect(tensors.filter(({ status }) => status === 'differs')).to.deep.equal([]);
  });
});

describe('numbers from elsewhere, computed in single precision', () => {
  const programs = honestForms.filter(({ precision }) => precision === 'float32');
  const answer = async (problem: Problem, i: number): Promise<Evaluation> =>
    honestProgram(programs[i % programs.length]).evaluate(roundProblem(problem));

  it('get the budget of a float32 program, on a float64 side and on a float32 side', async () => {
    for (let i = 0; i < 60; i++) {
      const problem = adversarialProblem(51, i, gaussian);
      const expected = await answer(problem, i);
      expect(singlePrecisionNames(expected).size).to.be.above(4);
      const verdict = compare(problem, expected, referenceAnswer(problem), scratch);
      expect(failing(verdict), problem.id).to.deep.equal([]);
      expect(verdict.tensors[0].tolerance).to.match(/the same of a float32 program .* numbers are float32/);
      const single = await answer(problem, i + 3);
      expect(
        failing(compare(problem, expected, single, { name: 'other', precision: 'float32' })),
      ).to.deep.equal([]);
    }
  });

  it('and of the problem rounded to float32, where the file holds more digits than that program had', async () => {
    const problem = adversarialProblem(52, 1, gaussian);
    problem.inputs.data.forEach((x, i, data) => (data[i] = x * (1 + 3e-8)));
    const expected = await answer(problem, 0);
    expect(failing(compare(problem, expected, referenceAnswer(problem), scratch))).to.deep.equal([]);
  });

  it('still show a mistake of 1e-4, and float64 numbers get no more than before', async () => {
    const problem = adversarialProblem(53, 2, gaussian);
    const expected = await answer(problem, 0);
    expected.gradients?.recurrentKernel?.data.forEach((x, i, data) => (data[i] = Math.fround(x * 1.0001)));
    expect(failing(compare(problem, expected, referenceAnswer(problem), scratch))).to.deep.equal([
      'gradients.recurrentKernel',
    ]);
    const exact = structuredClone(referenceAnswer(problem));
    expect([...singlePrecisionNames(exact)]).to.deep.equal([]);
    const { data } = exact.states ?? { data: new Float64Array(1) };
    data[0] += 1e-12;
    expect(failing(compare(problem, exact, referenceAnswer(problem), scratch))).to.deep.equal(['states']);
  });

  it('short numbers of a float64 file do not count: 0, 0.5, -3', () => {
    const tensor = { data: Float64Array.of(0, 0.5, -3), shape: [1, 3] };
    expect([...singlePrecisionNames({ finalState: tensor })]).to.deep.equal([]);
    const third = { data: Float64Array.of(Math.fround(1 / 3)), shape: [] };
    expect([...singlePrecisionNames({ finalState: tensor, loss: third })]).to.deep.equal([
      'finalState',
      'loss',
    ]);
  });

  it('numbers beyond float32 are an error of the file for sides in single precision, and no bug', async () => {
    const problem = { ...adversarialProblem(54, 3, gaussian), id: 'huge' };
    problem.weights.kernel.data[0] = 1e308;
    const vectors = [
      { id: 'huge', source: 'huge.json', problem, expected: referenceAnswer(problem), tolerance: new Map() },
    ];
    const error: unknown = await runParity({ vectors, backends: ['cpu'] }).catch((thrown: unknown) => thrown);
    expect(String(error)).to.match(/UsageError: case "huge": weights.kernel holds a number beyond 3\.4e38/);
  });

  it('a run passes with them and says so', async () => {
    const problem = { ...adversarialProblem(54, 3, gaussian), id: 'torch' };
    const expected = await answer(problem, 0);
    const vectors = [{ id: 'torch', source: 'torch.npz', problem, expected, tolerance: new Map() }];
    const report = await runParity({ vectors, sides: [], power: false });
    expect(report.exitCode).to.equal(0);
    expect(report.notes.join()).to.match(/torch\.npz: .*float32/);
  });
});
