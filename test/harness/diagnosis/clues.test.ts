import { expect } from 'chai';
import { diagnosisOrder, onlyWhere } from '../../../harness/diagnosis/index';
import { ratioOf, roundingLike } from '../../../harness/diagnosis/clues';
import { oddityOf } from '../../../harness/diagnosis/order';
import { examine } from '../../../harness/examine/index';
import { makeLayeredProblem, makeProblem } from '../../../harness/problems/index';
import { formatFailure, formatSummary, runParity, type ParityReport } from '../../../harness/parity/index';
import { scratchImplementation } from '../../../harness/sides/index';
import {
  mapProblem,
  type Evaluation,
  type Implementation,
  type Problem,
} from '../../../harness/base/problem';
import { catalogue, mapTensor, plant, replay, runsOf, type Fault } from '../../../harness/faults/index';
import { general } from '../../../harness/faults/faulty';
import { HandNetwork } from '../../oracles/hand-network';
import { createRandom } from '../../../scratch/index';

const sizes = { batch: 3, timeSteps: 6, features: 2, units: 4, classes: 5, scale: 1, seed: 3 };
const parts = {
  labels: true,
  upstreamStates: true,
  upstreamFinalState: false,
  initialState: true,
  mask: false,
};

function problemOf(recipe: Partial<Parameters<typeof makeProblem>[0]> = {}): Problem {
  return makeProblem({ id: 'clues', ...sizes, ...parts, ...recipe });
}

/** The same with logits so far apart that probabilities vanish in float64. */
function extreme(problem: Problem): Problem {
  const { outputKernel, ...weights } = problem.weights;
  if (outputKernel === undefined) throw new Error('there is no output layer');
  const larger = mapTensor(outputKernel, (x) => 4000 * x);
  return { ...problem, id: `${problem.id}, extreme`, weights: { ...weights, outputKernel: larger } };
}

function sideOf(network: typeof HandNetwork | Fault): Implementation {
  const evaluate = (problem: Problem): Evaluation =>
    'runs' in network ? replay(network, problem) : new network(problem).evaluate();
  return { name: 'mine', precision: 'float64', evaluate };
}

function run(implementation: Implementation, problems: readonly Problem[]): Promise<ParityReport> {
  const sides = [{ name: 'mine', required: true, open: () => Promise.resolve({ implementation }) }];
  return runParity({ problems, sides });
}

function faultOf(name: string): Fault {
  const fault = catalogue.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`${name} is gone`);
  return fault;
}

describe('what is diagnosed first', () => {
  it('the real mistake in ordinary problems, and then the textbook loss in extreme ones', async () => {
    const textbook = faultOf('loss/logarithm-of-softmax');
    const both = plant(faultOf('steps/state-after-for-state-before'), sideOf(textbook));
    const problem = problemOf();
    const { diagnoses } = await run(both, [extreme(problem), problem, problemOf({ batch: 1, seed: 4 })]);
    expect(diagnoses[0].caseId).to.equal('clues');
    expect(diagnoses[0].kind?.names).to.deep.equal(['steps/state-after-for-state-before']);
    const { diagnoses: alone } = await run(sideOf(textbook), [extreme(problem), problem]);
    expect(alone.map(({ kind }) => kind?.names)).to.deep.equal([['loss/logarithm-of-softmax']]);
    expect(alone[0].kind?.words).to.include('the loss is infinite there');
  });

  it('an ordinary problem, by the earliest phase that fails: a temperature of 1.0001 begins in the loss', async () => {
    class Warm extends HandNetwork {
      override softmax(logits: readonly (readonly number[])[]): readonly (readonly number[])[] {
        return super.softmax(logits.map((row) => row.map((y) => y / 1.0001)));
      }
    }
    const problem = problemOf();
    const { diagnoses } = await run(sideOf(Warm), [extreme(problem), problemOf({ timeSteps: 1 }), problem]);
    expect(diagnoses[0]).to.include({ phase: 'loss', caseId: 'clues' });
    expect(diagnoses[0].tensor).to.equal('probabilities');
    const name = 'the logits are divided by a temperature of 1.0001';
    const warm = { ...faultOf('loss/temperature'), runs: runsOf(general(name, undefined, 0), 'loss') };
    const { diagnoses: whole } = await run(sideOf(warm), [problem]);
    expect(whole[0].kind?.words).to.include(name);
    const examinations = [extreme(problem), problem].map((one) => examine(sideOf(Warm), one));
    const [first] = diagnosisOrder(await Promise.all(examinations));
    expect(first.problem.id).to.equal('clues');
    expect(oddityOf(first)).to.equal(0);
  });
});

describe('what the failing problems have in common', () => {
  const problems = [
    problemOf({ batch: 1 }),
    problemOf({ batch: 2, timeSteps: 17, units: 8 }),
    problemOf({ batch: 3, timeSteps: 20, features: 4, mask: true }),
    problemOf({ batch: 6, units: 6, timeSteps: 18 }),
  ];
  const where = (...failed: number[]): string | undefined =>
    onlyWhere(
      failed.map((i) => problems[i]),
      problems.filter((_, i) => !failed.includes(i)),
    );

  it('is said in letters where it sets them apart', () => {
    expect(where(0)).to.equal('B = 1');
    const odd = [1, 3, 5].map((batch) => problemOf({ batch }));
    const even = [2, 4, 6].map((batch) => problemOf({ batch }));
    expect(onlyWhere(odd, even)).to.equal('B odd');
    expect(where(2)).to.equal('masked steps');
    expect(where(3)).to.equal('U no multiple of 4');
    const both = [4, 8, 12].map((n) => problemOf({ batch: n, units: n }));
    expect(onlyWhere([problemOf({ batch: 2, units: 6 })], both)).to.equal('B or U no multiple of 4');
    const longer = [17, 20].map((timeSteps) => problemOf({ timeSteps }));
    const shorter = [9, 12, 16].map((timeSteps) => problemOf({ timeSteps }));
    expect(onlyWhere(longer, shorter)).to.equal('T > 16');
  });

  it('is said of networks of layers as well: sizes, parts, and layers', () => {
    const ofLayers = (layer: 'lstm' | 'gru', batch: number, mask: boolean, more: readonly 'gru'[] = []) =>
      makeLayeredProblem({
        ...{ id: layer, seed: 1, batch, timeSteps: 3, mask },
        model: {
          features: 2,
          layers: [
            { layer, units: 3, ...(more.length > 0 && { returnSequences: true }) },
            ...more.map((own) => ({ layer: own, units: 2 })),
            { layer: 'dense', units: 2 },
          ],
        },
      });
    const all = [
      ofLayers('lstm', 2, false),
      ofLayers('lstm', 3, true),
      ofLayers('gru', 3, false),
      ofLayers('gru', 1, false),
      ofLayers('gru', 2, true),
      ofLayers('gru', 4, false, ['gru']),
    ];
    const said = (...failed: number[]): string | undefined =>
      onlyWhere(
        failed.map((i) => all[i]),
        all.filter((_, i) => !failed.includes(i)),
      );
    expect(said(0, 1)).to.equal('an lstm layer');
    expect(said(1, 4)).to.equal('a mask');
    expect(said(3)).to.equal('B = 1');
    expect(said(5)).to.equal('a second recurrent layer');
    // problems about the simple RNN beside them have no layers in their outline
    expect(onlyWhere(all.slice(0, 2), problems)).to.equal('an lstm layer');
  });

  it('is nothing where all fail, or where nothing sets them apart', () => {
    expect(where(0, 1, 2, 3)).to.equal(undefined);
    expect(where()).to.equal(undefined);
    expect(onlyWhere([problems[0]], problems.slice(1, 3)), 'too few to say').to.equal(undefined);
    expect(where(0, 3)).to.equal(undefined);
  });

  it('stands in the diagnosis of a run', async () => {
    class OfMasks extends HandNetwork {
      override maskedState(before: readonly number[]): number[] {
        return before.map(() => 0);
      }
    }
    const { diagnoses } = await run(sideOf(OfMasks), problems);
    expect(diagnoses.map(({ onlyWhere: said }) => said)).to.deep.equal(['masked steps']);
  });
});

describe('clues of a diagnosis', () => {
  it('one ratio of all wrong results, in letters', async () => {
    const problem = problemOf({ upstreamStates: false, initialState: false });
    const { diagnoses } = await run(sideOf(faultOf('loss/sum-for-mean-throughout')), [problem]);
    expect(diagnoses[0].ratio?.times).to.be.closeTo(3, 1e-12);
    expect(diagnoses[0].ratio?.equals).to.deep.equal(['B']);
    expect(diagnoses[0].kind?.names).to.deep.equal(['loss/sum-for-mean-throughout']);
    const right = new HandNetwork(problem).evaluate();
    const half = (share: number): Evaluation => ({
      ...right,
      logits: mapTensor(right.states!, (x, i) => (i % 2 ? x : share * x)),
    });
    expect(ratioOf(problem, half(0.5), half(1), ['logits']), 'not of all numbers').to.equal(undefined);
    const loss = (factor: number): Evaluation => ({ loss: { data: Float64Array.of(factor), shape: [] } });
    expect(ratioOf(problem, loss(1.7), loss(1), ['loss']), 'a single number').to.equal(undefined);
    expect(ratioOf(problem, loss(1 / Math.LN2), loss(1), ['loss'])?.equals).to.deep.equal(['1/ln 2']);
  });

  it('numbers of a vectors file that are sums over the batch, not means, are named, and no side is blamed', async () => {
    // of numbers that a float32 side has to round first
    const problem = mapProblem(problemOf({ upstreamStates: false }), (x) => x / 3);
    const expected = replay(faultOf('loss/sum-for-mean-throughout'), problem);
    const vector = {
      id: 'vectors/sums',
      source: 'sums.json',
      problem,
      expected,
      tolerance: new Map<string, number>(),
    };
    const report = await runParity({ vectors: [vector], backends: ['cpu'] });
    const { diagnoses } = report;
    expect(diagnoses.map(({ implementation }) => implementation)).to.deep.equal(['scratch', 'tfjs:cpu']);
    for (const { side, kind } of diagnoses) {
      expect(side).to.equal('expected numbers');
      expect(kind?.names).to.deep.equal(['loss/sum-for-mean-throughout']);
    }
    expect(formatSummary(report))
      .to.match(/^tfjs:cpu: .*, in the same way$/m)
      .and.match(/^MISMATCH: the expected numbers are wrong against scratch in vectors\/sums/m);
    expect(diagnoses[0].ratio).to.deep.include({ equals: ['B'] });
  });

  it('another answer to the same question, and errors like those of a coarser format', async () => {
    const random = createRandom(5);
    const scratch = scratchImplementation();
    const noisy: Implementation = {
      ...scratch,
      name: 'mine',
      evaluate: async (problem) => {
        const answer = await scratch.evaluate(problem);
        const { states } = answer;
        return states === undefined
          ? answer
          : { ...answer, states: mapTensor(states, (h) => (random.uniform() < 0.2 ? 0 : h)) };
      },
    };
    const report = await run(noisy, [problemOf()]);
    expect(report.diagnoses[0].clue).to.match(/^another answer to the same question: random/);
    expect(formatFailure(report)).to.include(report.diagnoses[0].clue);
    const right = new HandNetwork(problemOf()).evaluate();
    const rounded = (bits: number): Evaluation => ({
      states: mapTensor(right.states!, (h, i) => h * (1 + 2 ** -bits * Math.sin(1 + 7 * i))),
    });
    expect(roundingLike(rounded(11), right, noisy)).to.equal(
      'errors of the size of 11-bit products: TF32 or half precision?',
    );
    expect(roundingLike(rounded(24), right, noisy)).to.include('float32');
    expect(roundingLike(rounded(24), right, { precision: 'float32' })).to.equal(undefined);
    const shifted = { states: mapTensor(right.states!, (h) => h + 2 ** -11) };
    expect(roundingLike(shifted, right, noisy), 'a bias is no rounding').to.equal(undefined);
  });

  it('no name where it would be wrong: a tanh that is a little off, and noise on one gradient', async () => {
    const scratch = scratchImplementation();
    const cases: readonly [
      string,
      Implementation['precision'],
      (answer: Evaluation, problem: Problem) => Evaluation,
    ][] = [
      ['tanh off by 4e-15', 'float64', (_, problem) => new Off(problem, 4e-15).evaluate()],
      ['tanh off by 2e-6', 'float32', (_, problem) => new Off(problem, 2e-6).evaluate()],
      ['noise of 1e-6 in dx', 'float64', (answer) => withNoise(answer)],
      ['products in two bfloat16 parts', 'float32', (_, problem) => new InParts(problem).evaluate()],
      ['products in three bfloat16 parts', 'float32', (_, problem) => new InThreeParts(problem).evaluate()],
    ];
    for (const [name, precision, change] of cases) {
      const side: Implementation = {
        name: 'mine',
        precision,
        evaluate: async (problem) => change(await scratch.evaluate(problem), problem),
      };
      const { verdict, diagnoses } = await run(plain(side), [
        problemOf(),
        problemOf({ seed: 8, mask: true }),
      ]);
      expect(verdict, name).to.equal('mismatch');
      expect(
        diagnoses.map(({ kind }) => kind?.words),
        name,
      ).to.deep.equal(diagnoses.map(() => undefined));
    }
  });
});

describe('NaN where an input is exactly 0', () => {
  const zeroed = (problem: Problem): Problem => {
    const at = (1 * sizes.timeSteps + 2) * sizes.features;
    return { ...problem, inputs: mapTensor(problem.inputs, (x, i) => (i === at ? 0 : x)) };
  };

  it('is located by phase, quantity, time step and side: forward, as 0 * log(0) gives it', async () => {
    class OfZero extends HandNetwork {
      override inputAt(b: number, t: number): readonly number[] {
        return super.inputAt(b, t).map((x) => (x === 0 ? NaN : x));
      }
    }
    const { verdict, diagnoses } = await run(sideOf(OfZero), [zeroed(problemOf())]);
    expect(verdict).to.equal('mismatch');
    expect(diagnoses).to.have.length(1);
    expect(diagnoses[0]).to.include({ phase: 'forward', tensor: 'states', side: 'mine' });
    expect(diagnoses[0].timeSteps?.[0]).to.equal(2);
    expect(diagnoses[0].worst?.given).to.be.NaN;
  });

  it('in the gradient alone, as a division by x gives it', async () => {
    class Divided extends HandNetwork {
      override finish(answer: Evaluation): Evaluation {
        const { gradients } = answer;
        const inputs = gradients?.inputs;
        if (inputs === undefined) return answer;
        const of = (dx: number, i: number): number => (this.problem.inputs.data[i] === 0 ? NaN : dx);
        return { ...answer, gradients: { ...gradients, inputs: mapTensor(inputs, of) } };
      }
    }
    const { diagnoses } = await run(sideOf(Divided), [zeroed(problemOf())]);
    expect(diagnoses).to.have.length(1);
    expect(diagnoses[0]).to.include({ phase: 'backward', tensor: 'gradients.inputs', side: 'mine' });
    expect(diagnoses[0].timeSteps).to.deep.equal([2]);
  });
});

/** Products of two numbers of 24 bits as three products of bfloat16 parts: hi hi + hi lo + lo hi, some 2^-16 off. */
class InParts extends HandNetwork {
  protected readonly product: (a: number, b: number) => number = inTwoParts;
  override preActivation(x: readonly number[], before: readonly number[]): number[] {
    const into = (row: readonly number[], matrix: readonly (readonly number[])[], u: number): number =>
      row.reduce((sum, a, i) => sum + this.product(a, matrix[i][u]), 0);
    return this.bias.map((c, u) => c + into(x, this.kernel, u) + into(before, this.recurrentKernel, u));
  }
}

/** The same of three parts, without the products of two small ones: the middle ones' product is missing, some 2^-18 off. */
class InThreeParts extends InParts {
  protected override readonly product = (a: number, b: number): number => {
    const parts = (x: number): [number, number, number] => {
      const [high, middle] = [bfloat16(x), bfloat16(x - bfloat16(x))];
      return [high, middle, bfloat16(x - high - middle)];
    };
    const [p, q] = [parts(a), parts(b)];
    return p[0] * q[0] + p[0] * q[1] + p[1] * q[0] + p[0] * q[2] + p[2] * q[0];
  };
}

/** The nearest number of 8 bits. */
function bfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0] + 0x8000) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}

function inTwoParts(a: number, b: number): number {
  const [high, other] = [bfloat16(a), bfloat16(b)];
  return high * other + high * bfloat16(b - other) + bfloat16(a - high) * other;
}

class Off extends HandNetwork {
  constructor(
    problem: Problem,
    private readonly by: number,
  ) {
    super(problem);
  }
  override activation(z: readonly number[]): readonly number[] {
    return super.activation(z).map((h) => h + this.by);
  }
}

function withNoise(answer: Evaluation): Evaluation {
  const { gradients } = answer;
  const inputs = gradients?.inputs;
  if (inputs === undefined) return answer;
  return {
    ...answer,
    gradients: {
      ...gradients,
      inputs: mapTensor(inputs, (x, i) => x + 1e-6 * Math.sin(1 + 13 * i)),
    },
  };
}

/** Float32 sides answer in float32. */
function plain(side: Implementation): Implementation {
  if (side.precision === 'float64') return side;
  return plant({ runs: () => [] }, side);
}
