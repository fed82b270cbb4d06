import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { tensorOf, type Evaluation, type LayeredProblem } from '../../../harness/base/problem';
import { asOutcome, equationsOf, type ModelAsEquations } from '../../../harness/equations/index';
import { makeLayeredProblem } from '../../../harness/problems/index';
import { byModel } from '../../../harness/sides/index';
import { TfNetwork } from '../../../src/index';
import { blamed, judgeResults } from '../../harness/equations/alarms';
import { describeOnBackends, testedBackends } from '../../support/backends';
import { nameOf, networkCases } from '../../support/network-cases';

const methods = ['autodiff', 'bptt'] as const;

/** The cases as problems with budgets; the equations know no order of outputs that are walked backwards. */
const judged = networkCases.flatMap((config, i) => {
  const { masked = false, features, layers, loss } = config;
  const problem = makeLayeredProblem({
    id: nameOf(config),
    seed: 100 + i,
    model: { ...(features !== undefined && { features }), layers, ...(loss && { loss }) },
    batch: 1 + (i % 4),
    timeSteps: 2 + (i % 3),
    scale: [0.3, 1, 3][i % 3],
    mask: masked,
    upstream: i % 2 === 0,
  });
  const equations = equationsIn(problem);
  return equations ? [{ problem, equations }] : [];
});

function equationsIn(problem: LayeredProblem): ModelAsEquations | undefined {
  try {
    return equationsOf(problem);
  } catch (error) {
    expect(String(error)).to.match(/a layer that goes? backwar/);
    return undefined;
  }
}

const isRight = async (
  evaluate: (problem: LayeredProblem) => Promise<Evaluation>,
  { problem, equations }: (typeof judged)[number],
  backend: string,
): Promise<string[]> => {
  const answer = await evaluate(problem);
  const outcome = asOutcome(equations, (dotted) => tensorOf(answer, dotted));
  // nothing that an answer should hold is missing; the equations know more: outputs of dense and of merged layers
  const { network, problem: numbers, names } = equations;
  expect([...outcome.keys()]).to.have.members([...names.values()].flat());
  const all = judgeResults(network, numbers, outcome, precisionModels[backend as 'wasm']);
  return blamed(all.filter(({ tensor }) => outcome.has(tensor)));
};

describeOnBackends(
  'TfNetwork: every layer and option, by the budgets of the formulas',
  (backend) => {
    it('covers nearly all cases', () => {
      expect(judged.length).to.be.at.least(networkCases.length - 4);
    });
    for (const one of judged) {
      it(one.problem.id, async () => {
        for (const gradients of methods) {
          const side = byModel((options) => new TfNetwork({ backend: backend(), gradients, ...options }));
          const evaluate = (problem: LayeredProblem) => Promise.resolve(side.evaluate(problem) as Evaluation);
          expect(await isRight(evaluate, one, backend().name), gradients).to.deep.equal([]);
        }
      });
    }

    it('and a weight that is off by a thousandth is not', async () => {
      const [one] = judged;
      const side = byModel(({ weights, ...options }) => {
        const changed = structuredClone(weights!) as unknown as Record<string, { data: Float64Array }>[];
        changed[0]['recurrentKernel'].data[4] *= 1.001;
        return new TfNetwork({
          backend: backend(),
          gradients: 'bptt',
          ...options,
          weights: changed as never,
        });
      });
      const evaluate = (problem: LayeredProblem) => Promise.resolve(side.evaluate(problem) as Evaluation);
      expect(await isRight(evaluate, one, backend().name)).to.not.deep.equal([]);
    });
  },
  testedBackends.filter((name) => name !== 'cpu'),
);
