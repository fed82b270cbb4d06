import { diagnoseUpdate, ruleOnUpdate } from '../diagnosis/update/index';
import type { Diagnosis } from '../diagnosis/index';
import { memoize } from '../base/memoize';
import type { OpenSide } from '../sides/index';
import {
  compareTraining,
  type TrainingComparison,
  scratchFor,
  trainingRules,
  trainingSteps,
  type TrainingCheck,
  type CaseVerdict,
} from '../judge/index';
import { questionFor } from '../examine/index';
import { sizesOf, type Problem } from '../base/problem';
import {
  canShowUpdate,
  firstWrong,
  plantUpdate,
  type UpdateEquivalent,
  type UpdateFault,
  type UpdateQuestion,
} from '../faults/updates/index';
import { trainingBatches, type TrialSizes } from './problems';
import type { Outcome } from './score-book';
import type { ClassifierWeights, SimpleRNNClassifier } from '../../scratch/index';

/** A network that trains, and the side it is of. */
export interface Host extends OpenSide {
  readonly createClassifier: NonNullable<OpenSide['createClassifier']>;
}

export function isTrainable(side: OpenSide): side is Host {
  return side.createClassifier !== undefined;
}

/** A training check with a fault planted in it, and where that must be found. */
export interface UpdateCase {
  readonly check: TrainingCheck;
  /** the first update that goes wrong, counted from 0 */ readonly from: number;
  /** the first that can show it */ readonly first: number;
}

/** Two settings of clipping in addition to the rules of the checks: a norm that is never reached, and one that clips Adam's gradients. */
const rules: readonly Pick<TrainingCheck, 'optimizer' | 'clipNorm'>[] = [
  ...Object.values(trainingRules),
  { ...trainingRules.momentum, clipNorm: 100 },
  { ...trainingRules.adam, clipNorm: 0.1 },
];

/**
 * The checks that an optimizer's fault is planted in: one for each problem, with the rules, memories and updates that show it in turn;
 * of an equivalent change, which no update shows, those that are computed that way.
 */
export function updateCases(
  fault: Pick<UpdateFault, 'optimizer' | 'shownIn'> & Partial<Pick<UpdateEquivalent, 'equivalent'>>,
  sizes: TrialSizes,
): UpdateCase[] {
  return trainingBatches(sizes).flatMap((batches, i) => {
    const cases = checksOn(batches).flatMap(({ check, questions }) => {
      const shows = questions.map((question) =>
        fault.equivalent === undefined ? canShowUpdate(fault, question) : fault.shownIn?.(question),
      );
      return batches.flatMap((_, from) => {
        const first = shows.indexOf(true, from);
        return first < 0 ? [] : [{ check, from, first }];
      });
    });
    return cases.length === 0 ? [] : [cases[(i * 7) % cases.length]];
  });
}

/** Every rule on these batches, from no memory and from a random one; and the updates, as a right side is asked for them. */
const checksOn = memoize((batches: readonly Problem[]) =>
  rules.flatMap((rule) =>
    (['fresh', 'random'] as const).map((memory) => {
      const { optimizer, clipNorm } = rule;
      const id = `${batches[0].id}, ${nameOf(rule)}, ${memory} memory`;
      const check: TrainingCheck = { ...rule, id, memory, batches };
      const questions = [...trainingSteps(check, scratchFor(check))].map(
        ({ start: { state }, problem }): UpdateQuestion => ({ optimizer, clipNorm, problem, state }),
      );
      return { check, questions };
    }),
  ),
);

function nameOf({ optimizer, clipNorm }: Pick<TrainingCheck, 'optimizer' | 'clipNorm'>): string {
  const rule = Object.entries(optimizer).map(([key, value]: [string, unknown]) =>
    key === 'name' ? String(value) : `${key} ${String(value)}`,
  );
  return [...rule, ...(clipNorm === undefined ? [] : [`clipNorm ${clipNorm}`])].join(' ');
}

/** The first failing update of a check, if there is one. */
interface Finding {
  readonly comparison: TrainingComparison;
  readonly verdict: CaseVerdict;
  /** the updates after it */ readonly others: TrainingComparison[];
}

function diagnosed({ comparison, verdict, others }: Finding, { implementation }: Host): Promise<Diagnosis> {
  return diagnoseUpdate(implementation, comparison, verdict, others);
}

/** Plants faults of the optimizer, in the training check that `rnn-parity parity` runs. */
export class UpdateTrial {
  private readonly models = new Map<string, SimpleRNNClassifier>();

  /** Plants a fault in a host, then in the scratch side. */
  async plant(fault: UpdateFault, host: Host, planted: UpdateCase): Promise<Outcome> {
    const { check, from, first } = planted;
    const { implementation } = host;
    const found = this.firstFailing(fault, host, planted);
    const diagnosis = found && (await diagnosed(found, host));
    const isName = diagnosis?.kind?.names.includes(fault.name) ?? false;
    const side = this.sideOfScratch(fault, host, planted);
    const tensors = (fault.only ?? ['']).map((name) => `${firstWrong(fault, check.optimizer)}.${name}`);
    return {
      where: `${implementation.name}, ${check.id}, from update ${from + 1}`,
      by:
        found === undefined
          ? []
          : diagnosis?.side === implementation.name
            ? ['training', 'referee']
            : ['training'],
      isCaught: found !== undefined,
      diagnosis,
      isLocated:
        diagnosis?.phase === fault.phase &&
        diagnosis.caseId === caseId(check, first) &&
        tensors.some((tensor) => `${diagnosis.tensor}.`.startsWith(tensor)),
      place: `${fault.phase}, ${tensors.join(' or ')} of ${caseId(check, first)}`,
      host: implementation.name,
      isKind: isName,
      isName,
      sideOfScratch: side,
    };
  }

  /** The findings when an equivalent change or a fault outside the catalogue is planted. */
  async look(
    optimizer: Pick<UpdateFault, 'optimizer'>,
    host: Host,
    planted: UpdateCase,
  ): Promise<Diagnosis | undefined> {
    const found = this.firstFailing(optimizer, host, planted);
    return found && (await diagnosed(found, host));
  }

  dispose(): void {
    for (const model of this.models.values()) model.dispose();
    this.models.clear();
  }

  private firstFailing(
    fault: Pick<UpdateFault, 'optimizer'>,
    host: Host,
    { check, from }: UpdateCase,
  ): Finding | undefined {
    const sick = plantUpdate(fault, this.modelOf(host, check), check, from);
    const { optimizer, clipNorm } = check;
    const { implementation } = host;
    let found: Finding | undefined;
    let update = 0;
    for (const step of trainingSteps(check, sick)) {
      const { reference } = questionFor(step.problem, implementation.precision);
      const comparison = {
        ...{ caseId: caseId(check, update++), optimizer, clipNorm, step, reference },
        side: implementation,
      };
      if (found !== undefined) {
        found.others.push(comparison);
        continue;
      }
      const verdict = compareTraining(comparison);
      if (verdict.status === 'fail') found = { comparison, verdict, others: [] };
    }
    return found;
  }

  /** The side that the referees blame when the optimizer of the scratch side has the fault and the host is right. */
  private sideOfScratch(fault: UpdateFault, host: Host, { check, from, first }: UpdateCase): string {
    const sick = plantUpdate(fault, scratchFor(check), check, from);
    const { optimizer, clipNorm } = check;
    const { name, precision } = host.implementation;
    let update = 0;
    for (const step of trainingSteps(check, this.modelOf(host, check), sick)) {
      // what comes after starts from weights that are wrong already
      if (update++ < first) continue;
      return ruleOnUpdate(
        { optimizer, clipNorm, problem: step.problem, state: step.start.state },
        { name: 'scratch', precision: 'float64', result: step.scratch },
        { name, precision, result: step.given },
      ).side;
    }
    return 'undecided';
  }

  private modelOf(host: Host, { batches: [first] }: TrainingCheck): SimpleRNNClassifier {
    const { features, units, classes = 1 } = sizesOf(first);
    const key = [host.implementation.name, features, units, classes].join();
    const weights = first.weights as ClassifierWeights;
    const model = this.models.get(key) ?? host.createClassifier({ features, units, classes, weights });
    this.models.set(key, model);
    return model;
  }
}

function caseId({ id }: TrainingCheck, update: number): string {
  return `${id}/${update + 1}`;
}
