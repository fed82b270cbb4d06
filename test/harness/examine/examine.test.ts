import { expect } from 'chai';
import { CandidateError, MalformedAnswerError } from '../../../harness/sides/candidate/index';
import { diagnose } from '../../../harness/diagnosis/index';
import { everyView, plannedTensors, viewNames } from '../../../harness/examine/views';
import { examine, type Examination } from '../../../harness/examine/examine';
import { scratchImplementation } from '../../../harness/sides/index';
import { generatedProblem, makeProblem } from '../../../harness/problems/generated';
import {
  evaluationOf,
  tensorNames,
  tensorOf,
  type Implementation,
  type Problem,
  type TensorName,
} from '../../../harness/base/problem';
import { canShow, catalogue, replay } from '../../../harness/faults/index';
import { HandNetwork } from '../../oracles/hand-network';

const recipe = {
  id: 'case',
  seed: 5,
  batch: 3,
  timeSteps: 6,
  features: 2,
  units: 5,
  classes: 4,
  scale: 1,
  labels: true,
  upstreamStates: false,
  upstreamFinalState: false,
  initialState: true,
  mask: false,
} as const;
const problem = makeProblem(recipe);

/** A float64 side by hand. */
function byHand(change: Partial<Implementation> = {}): Implementation {
  return {
    name: 'by hand',
    precision: 'float64',
    evaluate: (p) => new HandNetwork(p).evaluate(),
    ...change,
  };
}

/** The same, without some tensors. */
function without(...omits: TensorName[]): Implementation {
  return byHand({
    omits,
    evaluate: (p) => {
      const answer = new HandNetwork(p).evaluate();
      const kept = tensorNames.flatMap((name) => {
        const tensor = omits.includes(name) ? undefined : tensorOf(answer, name);
        return tensor === undefined ? [] : [[name, tensor] as const];
      });
      return evaluationOf(new Map(kept));
    },
  });
}

/** Each view accounts for exactly what the problem alone plans. */
function expectLedger(examination: Examination): void {
  for (const view of viewNames) {
    const verdict = examination[view]?.verdict;
    const planned = plannedTensors(examination.problem, view);
    const found = Object.fromEntries((verdict?.tensors ?? []).map((t) => [t.tensor, t.elements]));
    expect(found, `${examination.problem.id}, ${view}`).to.deep.equal(planned);
    expect(verdict?.ledger.expected).to.equal(Object.values(planned).reduce((sum, n) => sum + n, 0));
  }
}

describe('examine', () => {
  it('lets a right side pass in every way, and accounts for every number', async () => {
    for (let i = 0; i < 12; i++) {
      const examination = await examine(byHand(), generatedProblem(7, i));
      expect(examination.status, examination.problem.id).to.equal('pass');
      expect(examination.verdicts.map(({ caseId }) => caseId)).to.deep.equal([
        examination.problem.id,
        `${examination.problem.id}, step by step`,
        `${examination.problem.id}, weight probe`,
      ]);
      expect(examination.unseen).to.deep.equal([]);
      expectLedger(examination);
    }
  });

  it('rejects every fault that can show on the problem', async () => {
    for (const fault of catalogue) {
      if (fault.calls === true || !canShow(fault, problem, 'float64')) continue;
      const side = byHand({ evaluate: (p) => replay(fault, p) });
      expect((await examine(side, problem)).status, fault.name).to.equal('fail');
    }
  });

  it('sees one weight of any matrix that is wrong by 1e-12 in float64, by the probe alone', async () => {
    for (const key of ['kernel', 'recurrentKernel', 'outputKernel'] as const) {
      const side = byHand({
        evaluate: (p: Problem) => {
          const weight = p.weights[key];
          if (weight === undefined) return new HandNetwork(p).evaluate();
          const data = weight.data.map((x, i) => (i === 3 ? x * (1 + 1e-12) : x));
          return new HandNetwork({ ...p, weights: { ...p.weights, [key]: { ...weight, data } } }).evaluate();
        },
      });
      const { status, probe } = await examine(side, problem, { views: ['probe'] });
      expect(status, key).to.equal('fail');
      expect(probe?.verdict.tensors.some((t) => t.status === 'differs')).to.equal(true);
    }
  });

  it('looks at no gradients where the problem has no backward pass, and says so', async () => {
    const forward: Problem = { id: 'forward', inputs: problem.inputs, weights: problem.weights };
    let asked = 0;
    const side = byHand({
      evaluate: (p) => {
        asked++;
        return new HandNetwork(p).evaluate();
      },
    });
    const examination = await examine(side, forward);
    expect(examination.status).to.equal('pass');
    expect(examination.unseen).to.match(/neither labels nor upstream/);
    expectLedger(examination);
    expect(asked, 'the steps need no second answer').to.equal(2);
  });
});

describe('examine, sides that do not show everything', () => {
  it('a side without states is judged by what it shows', async () => {
    const examination = await examine(without('states'), problem);
    expect(examination.status).to.equal('pass');
    const status = Object.fromEntries(
      (examination.steps?.verdict.tensors ?? []).map((t) => [t.tensor, t.status]),
    );
    expect(status).to.include({ states: 'omitted', finalState: 'pass', dPreActivations: 'pass' });
    expectLedger(examination);
  });

  it('a side without gradients.inputs still shows its forward steps', async () => {
    const examination = await examine(without('gradients.inputs'), problem);
    expect(examination.status).to.equal('pass');
    const status = Object.fromEntries(
      (examination.steps?.verdict.tensors ?? []).map((t) => [t.tensor, t.status]),
    );
    expect(status).to.include({ states: 'pass', logits: 'pass', 'gradients.outputKernel': 'pass' });
    expect(status).to.include({ dPreActivations: 'omitted', 'gradients.kernel': 'pass' });
    expect(examination.unseen.join()).to.match(/dPreActivations.*gradients\.inputs is declared beforehand/);
  });

  it('a side without logits is judged by those that its final state makes', async () => {
    const examination = await examine(without('logits', 'probabilities'), problem);
    expect(examination.status).to.equal('pass');
    const compared = examination.steps?.verdict.tensors.find((t) => t.tensor === 'dPreActivations');
    expect(compared?.status).to.equal('pass');
  });

  it('what is neither given nor declared is missing, once', async () => {
    const examination = await examine({ ...without('gradients.bias'), omits: [] }, problem);
    const missing = examination.verdicts.flatMap(({ caseId, tensors }) =>
      tensors.filter(({ status }) => status === 'missing').map(() => caseId),
    );
    expect(examination.status).to.equal('fail');
    expect(missing).to.deep.equal(['case']);
  });

  it('a side of fixed sizes is not blamed for refusing different sizes', async () => {
    const fixed = byHand({
      evaluate: (p) => {
        if (p.inputs.shape.join() !== '3,6,2') throw new Error('my layer takes [3, 6, 2]');
        return new HandNetwork(p).evaluate();
      },
    });
    const examination = await examine(fixed, problem);
    expect(examination.status).to.equal('pass');
    expect(examination.refusals.map(({ view }) => view)).to.deep.equal(['steps', 'probe']);
    expect(examination.unseen.join()).to.match(/no equation could be judged.*my layer takes \[3, 6, 2\]/);
    expectLedger(examination);
  });

  it('nor is a side that answers different sizes in its own shapes; a wrong shape of the plain problem fails', async () => {
    const own = byHand({ evaluate: () => new HandNetwork(problem).evaluate() });
    const examination = await examine(own, problem);
    expect(examination.status).to.equal('pass');
    expect(examination.refusals.map(({ view }) => view)).to.deep.equal(['steps', 'probe']);
    const other = makeProblem({ ...recipe, units: 4 });
    expect((await examine(own, other)).status).to.equal('fail');
  });

  it('a malformed tensor fails with its reason, in every view', async () => {
    const malformed = new Map([['loss', 'is a promise']]);
    const side = byHand({
      evaluate: (p) => {
        throw new MalformedAnswerError(new HandNetwork(p).evaluate(), malformed);
      },
    });
    const { verdicts } = await examine(side, problem, { views: ['results', 'steps'] });
    for (const { status, tensors } of verdicts) {
      expect(status).to.equal('fail');
      expect(tensors.find(({ tensor }) => tensor === 'loss')?.reason).to.equal('is a promise');
    }
  });

  it('an error on the plain problem, and a side that is gone, are thrown on', async () => {
    const broken = byHand({
      evaluate: () => {
        throw new Error('no network');
      },
    });
    const gone = byHand({
      evaluate: (p) => {
        if (p !== problem) throw new CandidateError('gone', true);
        return new HandNetwork(p).evaluate();
      },
    });
    for (const [side, message] of [
      [broken, 'no network'],
      [gone, 'gone'],
    ] as const) {
      let thrown = '';
      await examine(side, problem).catch((error: unknown) => (thrown = (error as Error).message));
      expect(thrown).to.equal(message);
    }
  });

  it('a fixed tolerance judges the results alone', async () => {
    const examination = await examine(scratchImplementation(), problem, { tolerance: { absolute: 1e-3 } });
    expect(examination.verdicts.map(({ caseId }) => caseId)).to.deep.equal(['case']);
  });
});

describe('examine, asked again', () => {
  const views = everyView;
  const inEveryWay = (side: Implementation): Promise<Examination> => examine(side, problem, { views });

  it('lets a right side pass, and accounts for its second answer as for the first', async () => {
    const examination = await inEveryWay(byHand());
    expect(examination.status).to.equal('pass');
    const planned = plannedTensors(examination.problem, 'repeat');
    expect(Object.values(planned).length).to.be.above(8);
    const found = examination.repeat?.verdict.tensors.map(({ tensor, elements }) => [tensor, elements]);
    expect(Object.fromEntries(found ?? [])).to.deep.equal(planned);
    expect(examination.repeat?.verdict.caseId).to.equal('case, asked again');
  });

  it('reports a side whose second answer is wrong, and nothing else', async () => {
    const seen = new Set<string>();
    const evaluate = (p: Problem) => {
      const answer = new HandNetwork(p).evaluate();
      const isFirst = !seen.has(p.id);
      seen.add(p.id);
      // the bias gradient of the call before is still in it
      if (!isFirst) answer.gradients?.bias?.data.forEach((x, i, data) => (data[i] = 2 * x));
      return answer;
    };
    const side = byHand({ evaluate });
    const examination = await inEveryWay(side);
    expect(examination.verdicts.map(({ status }) => status)).to.deep.equal(['pass', 'pass', 'pass', 'fail']);
    const diagnosis = await diagnose(side, examination);
    expect(diagnosis).to.include({ phase: 'backward', tensor: 'gradients.bias', side: 'by hand' });
    expect(diagnosis.caseId).to.equal('case, asked again');
    expect(diagnosis.unseen.join()).to.match(/right at first, and wrong when it is asked again/);
  });

  it('reports a side that changes an answer which it gave before', async () => {
    let kept: Float64Array | undefined;
    const evaluate = (p: Problem) => {
      const answer = new HandNetwork(p).evaluate();
      const bias = answer.gradients?.bias;
      if (kept?.length !== bias?.data.length) kept = bias?.data;
      else kept?.set(bias?.data ?? []);
      return bias === undefined || kept === undefined
        ? answer
        : { ...answer, gradients: { ...answer.gradients, bias: { data: kept, shape: bias.shape } } };
    };
    const side = byHand({ evaluate });
    const examination = await inEveryWay(side);
    const red = examination.verdicts.filter(({ status }) => status === 'fail');
    expect(red.map(({ caseId }) => caseId)).to.deep.equal(['case, asked again']);
    expect((await diagnose(side, examination)).kind?.names).to.deep.equal([
      'memory/answer-overwritten-by-next-call',
    ]);
  });

  it('says what was not seen of a side that refuses the question between', async () => {
    const evaluate = (p: Problem) => {
      if (p.inputs.data[0] === -problem.inputs.data[0]) throw new Error('never seen such inputs');
      return new HandNetwork(p).evaluate();
    };
    const examination = await inEveryWay(byHand({ evaluate }));
    expect(examination.status).to.equal('pass');
    expect(examination.unseen.join()).to.match(/negated inputs was refused \(never seen such inputs\)/);
  });
});
