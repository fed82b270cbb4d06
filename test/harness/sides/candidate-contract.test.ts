import { expect } from 'chai';
import { toNested } from '../../../scratch/index';
import { tensorNames, tensorOf, type Evaluation, type Problem } from '../../../harness/base/problem';
import { examine, type Examination } from '../../../harness/examine/index';
import { makeProblem } from '../../../harness/problems/generated';
import {
  candidateImplementation,
  defineCandidate,
  type Candidate,
  type CandidateAnswer,
  type CandidateProblem,
} from '../../../harness/sides/candidate/index';
import { readProblem } from '../../../harness/problems/vectors/index';
import { honestProgram } from '../judge/honest-programs';

const problem = makeProblem({
  ...{ id: 'case', seed: 5, batch: 3, timeSteps: 6, features: 2, units: 5, classes: 4, scale: 1 },
  ...{ labels: true, upstreamStates: false, upstreamFinalState: false, initialState: true, mask: false },
});

const program = honestProgram({ name: 'mine', precision: 'float64' });
const right = (asked: CandidateProblem): Evaluation =>
  program.evaluate(readProblem(asked, 'asked', 'asked') as Problem) as Evaluation;

function answerOf(answer: Evaluation, isWanted: (name: string) => boolean = () => true): CandidateAnswer {
  const found: Record<string, unknown> = {};
  const gradients: Record<string, unknown> = {};
  for (const name of tensorNames) {
    const tensor = tensorOf(answer, name);
    if (tensor === undefined || !isWanted(name)) continue;
    if (name.startsWith('gradients.')) gradients[name.slice('gradients.'.length)] = toNested(tensor);
    else found[name] = name === 'loss' ? tensor.data[0] : toNested(tensor);
  }
  return { ...found, gradients };
}

const candidate = (evaluate: Candidate['evaluate']): Candidate => ({
  name: 'mine',
  precision: 'float64',
  evaluate,
});
const judged = (evaluate: Candidate['evaluate'], asked: Problem = problem): Promise<Examination> =>
  examine(candidateImplementation(candidate(evaluate)), asked);
const reasons = ({ verdicts }: Examination): string[] =>
  verdicts.flatMap(({ tensors }) =>
    tensors.flatMap(({ tensor, status, reason }) =>
      status === 'shape' ? [`${tensor} ${reason ?? ''}`] : [],
    ),
  );

// a strict project compiles the README's way to write a candidate: what `evaluate` gets has a type, by `layers`
defineCandidate({
  name: 'typed',
  precision: 'float64',
  evaluate: ({ inputs, weights: { kernel } }) => ({
    states: inputs.map((rows) => rows.map(() => kernel[0])),
  }),
});
defineCandidate({
  ...{ name: 'typed', precision: 'float64' },
  layers: ['lstm'],
  evaluate: ({ model, weights }) => ({ loss: model.layers.length + weights.length }),
});

describe('the contract of a candidate', () => {
  it('asks for logits with labels only', async () => {
    const examination = await judged((asked) =>
      answerOf(right(asked), (name) => name !== 'logits' || asked.labels !== undefined),
    );
    expect(examination.status, JSON.stringify(examination.verdicts)).to.equal('pass');
    const { id, inputs, weights, initialState } = problem;
    const upstream = { finalState: initialState };
    const unlabelled = { id, inputs, weights, initialState, upstream } as Problem;
    const without = (asked: CandidateProblem) => answerOf(right(asked), (name) => name !== 'logits');
    expect((await judged(without, unlabelled)).status).to.equal('pass');
    // with labels they are required
    expect((await judged(without)).status).to.equal('fail');
  });

  it('compares logits without labels where they are given', async () => {
    const examination = await judged((asked) => {
      const answer = right(asked);
      if (asked.labels === undefined) answer.logits?.data.forEach((x, i, data) => (data[i] = x + 1e-9));
      return answerOf(answer);
    });
    const red = examination.probe?.verdict.tensors.filter(({ status }) => status === 'differs');
    expect(red?.map(({ tensor }) => tensor)).to.deep.equal(['logits']);
  });

  it('a problem that is changed in place fails by name', async () => {
    const examination = await judged((asked) => {
      const answer = answerOf(right(asked));
      asked.weights.kernel[1][2] = 7;
      return answer;
    });
    expect(examination.status).to.equal('fail');
    expect(reasons(examination)[0]).to.match(
      /^\(problem\) was changed by evaluate: problem\.weights\.kernel\[1\]\[2\] was -?[\d.]+ and is 7; copy/,
    );
  });

  it('answers that share one buffer fail by name; the same answer given twice does not', async () => {
    const calls: CandidateAnswer[] = [];
    let first: Float64Array | undefined;
    const side = candidateImplementation(
      candidate((asked) => {
        const answer = right(asked);
        const { data, shape } = answer.finalState as { data: Float64Array; shape: readonly number[] };
        first ??= data;
        first.set(data);
        calls.push({
          ...answerOf(answer, (name) => name !== 'finalState'),
          finalState: { data: first, shape },
        });
        return calls[calls.length - 1];
      }),
    );
    await side.evaluate(problem);
    await side.evaluate(problem);
    const other = { ...problem, inputs: { ...problem.inputs, data: problem.inputs.data.map((x) => -x) } };
    let message = '';
    await Promise.resolve(side.evaluate(other)).catch(
      (error: unknown) => (message = (error as Error).message),
    );
    expect(message).to.match(
      /^\(answer before\) was changed by the next call: finalState\[\d, \d\] was \S+ and is \S+; the answers share a buffer/,
    );
  });

  it('weights or inputs that are kept in float32 by a float64 side are found on a problem that is exact in float32', async () => {
    const single = (rows: number[][]): number[][] => rows.map((row) => row.map(Math.fround));
    const kept: Record<string, (asked: CandidateProblem) => void> = {
      weights: ({ weights }) => (weights.recurrentKernel = single(weights.recurrentKernel)),
      inputs: (asked) => (asked.inputs = asked.inputs.map(single)),
    };
    for (const [what, keep] of Object.entries(kept)) {
      const examination = await judged((asked) => {
        const own = structuredClone(asked);
        keep(own);
        return answerOf(right(own));
      });
      expect(examination.results?.verdict.status).to.equal('pass');
      expect(examination.probe?.verdict.status, what).to.equal('fail');
    }
  });

  it('one wrong call is reported as random numbers or a memory', async () => {
    let calls = 0;
    const examination = await judged((asked) => {
      const answer = right(asked);
      calls++;
      if (calls === 2) answer.states?.data.forEach((x, i, data) => (data[i] = x + 1e-6));
      return answerOf(answer);
    });
    expect(examination.status).to.equal('fail');
    expect(examination.unseen.join()).to.match(/another answer when it was asked again: random numbers, or/);
    const always = await judged((asked) => {
      const answer = right(asked);
      answer.states?.data.forEach((x, i, data) => (data[i] = x + 1e-6));
      return answerOf(answer);
    });
    expect(always.unseen).to.deep.equal([]);
  });
});
