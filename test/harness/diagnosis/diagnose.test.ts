import { expect } from 'chai';
import { diagnose } from '../../../harness/diagnosis/index';
import { examine } from '../../../harness/examine/examine';
import { makeProblem } from '../../../harness/problems/generated';
import {
  evaluationOf,
  tensorNames,
  tensorOf,
  type Implementation,
  type Problem,
} from '../../../harness/base/problem';
import { canShow, plant, faultsOfStep, type StepFault } from '../../../harness/faults/index';
import { HandNetwork } from '../../oracles/hand-network';

const shape = { batch: 3, features: 2, units: 4, classes: 5, scale: 1, mask: false } as const;
const above = { labels: true, upstreamStates: true, upstreamFinalState: true, initialState: true } as const;
const problemOf = (timeSteps: number, seed = 3): Problem =>
  makeProblem({ ...shape, ...above, id: `${timeSteps} steps`, seed, timeSteps });

const host: Implementation = {
  name: 'by hand',
  precision: 'float64',
  evaluate: (problem) => new HandNetwork(problem).evaluate(),
};

function oneStep(called: string): StepFault {
  const fault = faultsOfStep(3).find(({ name }) => name === called);
  if (fault === undefined) throw new Error(`${called} is gone`);
  return fault;
}

describe('diagnose, faults of one time step', () => {
  for (const [T, steps] of [
    [6, [0, 3, 5]],
    [25, [11]],
  ] as const) {
    it(`names phase, quantity and step, over ${T} steps`, async function () {
      const problem = problemOf(T);
      const missed: string[] = [];
      let planted = 0;
      for (const step of steps) {
        for (const fault of faultsOfStep(step)) {
          const { tensor, timeStep } = fault.wrong;
          // the step of a sum over time is known by the name of the fault alone, which takes long over many steps
          const isSum = /^gradients\.(kernel|recurrentKernel|bias)$/.test(tensor);
          if (!canShow(fault, problem, 'float64') || (isSum && T > 6)) continue;
          const side = plant(fault, host);
          const examination = await examine(side, problem);
          if (examination.status !== 'fail') {
            missed.push(`${fault.name} at ${step}: not caught`);
            continue;
          }
          planted++;
          const found = await diagnose(side, examination, { kind: isSum });
          const says = `${found.phase} ${found.tensor} ${String(found.timeSteps)}`;
          const wants = `${fault.phase} ${tensor} ${String(timeStep)}`;
          if (says !== wants) missed.push(`${fault.name} at ${step}: ${says}, not ${wants}`);
          expect(found.side, fault.name).to.be.oneOf(['by hand', 'undecided']);
        }
      }
      expect(planted).to.be.above(10);
      expect(missed.length / planted, missed.join('\n')).to.be.at.most(0.05);
    });
  }

  it('still names the step where the side gives no states', async () => {
    const problem = problemOf(6);
    const fault = oneStep('step/weights/bias-forgotten');
    const whole = plant(fault, host);
    const side: Implementation = {
      ...whole,
      omits: ['states'],
      evaluate: async (p) => {
        const answer = await whole.evaluate(p);
        const kept = tensorNames.flatMap((name) => {
          const tensor = name === 'states' ? undefined : tensorOf(answer, name);
          return tensor === undefined ? [] : [[name, tensor] as const];
        });
        return evaluationOf(new Map(kept));
      },
    };
    const found = await diagnose(side, await examine(side, problem), { kind: false });
    expect(found).to.include({ phase: 'forward', tensor: 'states', side: 'by hand' });
    expect(found.timeSteps).to.deep.equal([3]);
  });

  it('blames scratch where scratch is wrong', async () => {
    const problem = problemOf(6);
    const fault = oneStep('step/slope/missing');
    const reference = await plant(fault, host).evaluate(problem);
    const examination = await examine(host, problem, { reference });
    expect((await diagnose(host, examination, { kind: false })).side).to.equal('scratch');
  });
});
