import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  trainingRules,
  trainingSteps,
  scratchFor,
  type TrainingCheck,
} from '../../../harness/judge/updates/training-checks';
import {
  arraysOf,
  canShowUpdate,
  firstWrong,
  HandOptimizer,
  isSame,
  updateEquivalents,
  updateFaults,
  type OptimizerClass,
  type UpdateQuestion,
} from '../../../harness/faults/index';
import { weightNames } from '../../../scratch/index';
import { updateBatches } from '../../support/update-batches';

const batches = updateBatches(2);
const rules: readonly Pick<TrainingCheck, 'optimizer' | 'clipNorm'>[] = [
  ...Object.values(trainingRules),
  { ...trainingRules.momentum, clipNorm: 100 },
];

/** Every rule, from nothing and from a memory, first update and second. */
const steps = rules.flatMap((rule) =>
  (['fresh', 'random'] as const).flatMap((memory) => {
    const check: TrainingCheck = { id: 'update', ...rule, memory, batches };
    return [...trainingSteps(check, scratchFor(check))].map((step) => ({
      step,
      question: { ...rule, problem: step.problem, state: step.start.state } satisfies UpdateQuestion,
    }));
  }),
);

type Named = Map<string, Float64Array>;

const made = (optimizer: OptimizerClass, question: UpdateQuestion): Named =>
  arraysOf(new optimizer(question).update());

/** Quantities in which two updates differ by more than rounding. */
function different(one: Named, other: Named): string[] {
  return [...one].flatMap(([name, a]) => (isSame(a, other.get(name)) ? [] : [name]));
}

describe('catalogue of the optimizer', () => {
  it('come from an optimizer that is right where nothing is planted: it makes the updates of the scratch side', () => {
    for (const { step, question } of steps) {
      const { loss, weights, state } = step.scratch;
      const slots = state.slots;
      const scratch: Named = new Map([
        ['loss', Float64Array.of(loss)],
        ...Object.entries({ ...slots, weights }).flatMap(([group, of]) =>
          weightNames.map((name) => [`${group}.${name}`, of[name].data] as const),
        ),
      ]);
      const byHand = made(HandOptimizer, question);
      expect([...byHand.keys()]).to.have.members([...scratch.keys()]);
      expect(different(byHand, scratch), JSON.stringify(question.optimizer)).to.deep.equal([]);
    }
  });

  it('change an update at least, each of them, and first where they say', () => {
    const wrong: string[] = [];
    const shown = new Set<string>();
    for (const fault of updateFaults) {
      for (const { question } of steps) {
        const right = made(HandOptimizer, question);
        const found = different(right, made(fault.optimizer, question));
        const can = canShowUpdate(fault, question);
        if (can) shown.add(fault.name);
        const rule = `${fault.name} on ${JSON.stringify(question.optimizer)}, step ${question.state.step}`;
        const first = firstWrong(fault, question.optimizer);
        const names = (fault.only ?? ['']).map((name) => `${first}.${name}`);
        const group = found.find((name) => !name.startsWith('weights.')) ?? found.at(0) ?? '';
        if (can && !names.some((name) => `${group}.`.startsWith(name)))
          wrong.push(`${rule}: first in ${group}`);
      }
    }
    expect(wrong.slice(0, 9)).to.deep.equal([]);
    expect([...shown]).to.have.members(updateFaults.map(({ name }) => name));
  });

  it('that are equivalent change nothing but rounding', () => {
    for (const { name, optimizer, equivalent } of updateEquivalents) {
      expect(equivalent, name).to.be.a('string');
      for (const { question } of steps)
        expect(different(made(HandOptimizer, question), made(optimizer, question)), name).to.deep.equal([]);
    }
  });

  it('have names of their own, and are explained in docs/bptt.md', () => {
    const names = updateFaults.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    const page = readFileSync(join(__dirname, '../../../docs/bptt.md'), 'utf8');
    for (const { family } of updateFaults) expect(page).to.include(`<a id="${family}"></a>`);
  });
});
