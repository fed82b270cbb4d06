import { expect } from 'chai';
import { diagnoseUpdate, ruleOnUpdate, type Diagnosis } from '../../../harness/diagnosis/index';
import { referenceAnswer } from '../../../harness/sides/index';
import { compareTraining } from '../../../harness/judge/updates/compare-training';
import {
  scratchFor,
  trainingRules,
  trainingSteps,
  type TrainingCheck,
} from '../../../harness/judge/updates/training-checks';
import type { Implementation } from '../../../harness/base/problem';
import {
  HandOptimizer,
  plantUpdate,
  replay,
  faultsOfStep,
  updateFaults,
  type Trainee,
  type UpdateFault,
} from '../../../harness/faults/index';
import { HandNetwork } from '../../oracles/hand-network';
import { updateBatches } from '../../support/update-batches';

const batches = updateBatches(2);
const side: Implementation = {
  name: 'by hand',
  precision: 'float64',
  evaluate: (problem) => new HandNetwork(problem).evaluate(),
};

function checkOf(rule: keyof typeof trainingRules, memory: TrainingCheck['memory']): TrainingCheck {
  return { id: rule, ...trainingRules[rule], memory, batches };
}

function faultOf(name: string): UpdateFault {
  const found = updateFaults.find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** The diagnosis of the first red update, by itself or with the others. */
async function diagnosed(
  check: TrainingCheck,
  model: Trainee,
  implementation = side,
  withOthers = false,
): Promise<Diagnosis | undefined> {
  const comparisons = [...trainingSteps(check, model)].map((step, i) => {
    const reference = referenceAnswer(step.problem);
    const { optimizer, clipNorm } = check;
    return { caseId: `${check.id}/${i + 1}`, optimizer, clipNorm, step, reference, side: implementation };
  });
  for (const comparison of comparisons) {
    const verdict = compareTraining(comparison);
    if (verdict.status !== 'fail') continue;
    const others = withOthers ? comparisons.filter((other) => other !== comparison) : [];
    return diagnoseUpdate(implementation, comparison, verdict, others);
  }
  return undefined;
}

const sick = (name: string, check: TrainingCheck, from = 0): Trainee =>
  plantUpdate(faultOf(name), scratchFor(check), check, from);

describe('diagnoseUpdate', () => {
  it('has nothing to say of an optimizer that is right', async () => {
    for (const rule of ['momentum', 'adam', 'clipped'] as const)
      expect(await diagnosed(checkOf(rule, 'random'), scratchFor(checkOf(rule, 'random')))).to.equal(
        undefined,
      );
  });

  it('names the memory that is wrong first, what follows from it, the kind, the side and the update', async () => {
    const check = checkOf('momentum', 'random');
    const found = await diagnosed(check, sick('momentum/dampened', check));
    expect(found).to.include({
      phase: 'update',
      tensor: 'velocity.kernel',
      side: 'by hand',
      caseId: 'momentum/1',
    });
    expect(found?.kind?.names).to.deep.equal(['momentum/dampened']);
    expect(found?.inherited).to.include.members(['weights.kernel', 'weights.outputBias']);
    expect(found?.formula).to.equal('velocity = momentum velocity + g');
  });

  it('does not call weights inherited whose own step is wrong', async () => {
    const check = checkOf('adam', 'fresh');
    const found = await diagnosed(check, sick('adam/root-forgotten', check));
    expect(found).to.include({ phase: 'update', tensor: 'weights.kernel' });
    expect(found?.inherited).to.deep.equal([]);
  });

  it('names the first update that a forgotten memory shows in', async () => {
    const check = checkOf('momentum', 'fresh');
    const found = await diagnosed(check, sick('momentum/not-carried', check));
    expect(found).to.include({ caseId: 'momentum/2', tensor: 'velocity.kernel' });
    expect(found?.kind?.names).to.include('momentum/not-carried');
  });

  it('gives no name to a mistake that is not in the catalogue, and still the side', async () => {
    const check = checkOf('adam', 'random');
    const optimizer = class extends HandOptimizer {
      override firstMoment(before: number, g: number): number {
        return 0.95 * before + 0.05 * g;
      }
    };
    const found = await diagnosed(check, plantUpdate({ optimizer }, scratchFor(check), check));
    expect(found?.kind).to.equal(undefined);
    expect(found).to.include({ tensor: 'm.kernel', side: 'by hand' });
  });

  it('distinguishes two places of epsilon in single precision', async () => {
    const check = checkOf('adam', 'fresh');
    for (const name of ['adam/epsilon-inside-root', 'adam/other-form-of-epsilon']) {
      const found = await diagnosed(check, sick(name, check), { ...side, precision: 'float32' });
      expect(found?.kind?.names).to.deep.equal([name]);
    }
  });

  it('gives no name that another update by the same rule contradicts', async () => {
    const check = checkOf('momentum', 'fresh');
    const optimizer = class extends HandOptimizer {
      override moved(w: number, step: number): number {
        return this.question.state.step === 0 ? w : super.moved(w, step);
      }
    };
    const sickModel = (): Trainee => plantUpdate({ optimizer }, scratchFor(check), check);
    const names = ['momentum/step-before-velocity'];
    // the old velocity is nothing at first, so that nothing moves
    expect((await diagnosed(check, sickModel()))?.kind?.names).to.deep.equal(names);
    expect((await diagnosed(check, sickModel(), side, true))?.kind).to.equal(undefined);
    const named = await diagnosed(check, sick(names[0], check), side, true);
    expect(named?.kind?.names).to.deep.equal(names);
  });

  it('blames the gradients where these are wrong already', async () => {
    const fault = faultsOfStep(3).find(({ name }) => name === 'step/slope/missing')!;
    const wrong: Implementation = { ...side, evaluate: (problem) => replay(fault, problem) };
    const check = checkOf('sgd', 'fresh');
    const found = await diagnosed(check, sick('optimizer/step-taken-twice', check), wrong);
    expect(found).to.include({
      phase: 'backward',
      tensor: 'dPreActivations',
      side: 'by hand',
      caseId: 'sgd/1',
    });
    expect(found?.inherited).to.include('weights.kernel');
  });
});

describe('ruleOnUpdate', () => {
  it('blames the side whose update is wrong, scratch as well, and neither side where both are right', () => {
    for (const [name, rule] of [
      ['momentum/wrong-sign', 'momentum'],
      ['adam/count-late', 'adam'],
      ['clip/ignored', 'clipped'],
      ['order/loss-after-update', 'momentum'],
    ] as const) {
      const check = checkOf(rule, 'random');
      const ruling = (model: Trainee, scratch: Trainee): string => {
        const [step] = trainingSteps(check, model, scratch);
        const { optimizer, clipNorm } = check;
        return ruleOnUpdate(
          { optimizer, clipNorm, problem: step.problem, state: step.start.state },
          { name: 'scratch', precision: 'float64', result: step.scratch },
          { name: 'mine', precision: 'float64', result: step.given },
        ).side;
      };
      expect(ruling(sick(name, check), scratchFor(check)), name).to.equal('mine');
      expect(ruling(scratchFor(check), sick(name, check)), name).to.equal('scratch');
      expect(ruling(sick(name, check), sick(name, check)), name).to.equal('both');
      expect(ruling(scratchFor(check), scratchFor(check)), name).to.equal('undecided');
    }
  });
});
