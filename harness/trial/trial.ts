import type { FaultClass } from '../diagnosis/index';
import type { Implementation, Problem } from '../base/problem';
import type { OpenSide } from '../sides/index';
import { silentProgress, type StartProgress } from '../base/progress';
import {
  equivalents,
  plant,
  catalogue,
  faultsOfStep,
  type Equivalent,
  type Fault,
  type StepFault,
  heldOut,
  heldOutUpdates,
} from '../faults/index';
import {
  updateEquivalents,
  updateFaults,
  type UpdateEquivalent,
  type UpdateFault,
} from '../faults/updates/index';
import { isLocated, lookAt, whereOf } from './look';
import { tryMistake, type Mistake } from './mistake';
import { problemsFor, stepCases, type TrialSizes } from './problems';
import { concludeTrial, type TrialReport } from './report';
import { ScoreBook } from './score-book';
import { isTrainable, updateCases, UpdateTrial, type Host } from './update-trial';

export interface TrialOptions extends TrialSizes {
  /** sides that faults are planted in, in turn; those of optimizers in the sides that have one */
  readonly hosts: readonly OpenSide[];
  /** the float64 side, for faults that only it can have */ readonly float64: Implementation;
  readonly notRun?: TrialReport['notRun'];
  /** whether a fault takes part, by its name */ readonly isWanted?: (name: string) => boolean;
  /** per cent caught below which the trial fails; default 100 */ readonly break?: number;
  readonly progress?: StartProgress;
}

/** Everything that can be planted, by name. */
export const everyName: readonly string[] = [
  ...[...catalogue, ...faultsOfStep(0), ...updateFaults, ...equivalents, ...updateEquivalents],
  ...[...heldOut, ...heldOutUpdates],
].map(({ name }) => name);

/**
 * Puts the harness on trial: every fault of the catalogue is planted in right implementations, in turn, and the harness is asked
 * whether something is wrong, where, which fault it is, and on which side. No side may be blamed for an equivalent change, and a fault
 * outside the catalogue may not be given the name of a fault in it.
 */
export async function runTrial(options: TrialOptions): Promise<TrialReport> {
  const started = performance.now();
  const trial = new Trial(options);
  const { isWanted = () => true } = options;
  const each = <T extends { readonly name: string }>(
    faults: readonly T[],
    plant: (fault: T) => Promise<void>,
  ) => faults.filter(({ name }) => isWanted(name)).map((one) => [one.name, () => plant(one)] as const);
  const ofUpdates: typeof each = (faults, plant) => (trial.hasOptimizer ? each(faults, plant) : []);
  const stranger = 'not in the catalogue: it may be named only by its family, or not at all';
  const work = [
    ...each(catalogue, (one) => trial.plantEverywhere(one)),
    ...stepCases(options).flatMap(([fault, problem]) => each([fault], (one) => trial.plantAt(one, problem))),
    ...ofUpdates(updateFaults, (one) => trial.plantInOptimizer(one)),
    ...each(equivalents, (one) => trial.lookAtAll('equivalents', one, one.equivalent, [])),
    ...ofUpdates(updateEquivalents, (one) => trial.lookAtUpdates('equivalents', one, one.equivalent)),
    ...each(heldOut, (one) => trial.lookAtAll('heldOut', one, stranger, one.families)),
    ...ofUpdates(heldOutUpdates, (one) => trial.lookAtUpdates('heldOut', one, stranger)),
  ];
  const progress = (options.progress ?? silentProgress)('trial', work.length);
  try {
    for (const [name, plant] of work) {
      await plant();
      progress.step(name);
    }
  } finally {
    progress.stop();
    trial.dispose();
  }
  return trial.report((performance.now() - started) / 1000);
}

class Trial {
  private readonly book = new ScoreBook();
  private readonly updates = new UpdateTrial();
  private turn = 0;
  private readonly trainable: readonly Host[];

  constructor(private readonly options: TrialOptions) {
    this.trainable = options.hosts.filter(isTrainable);
  }

  get hasOptimizer(): boolean {
    return this.trainable.length > 0;
  }

  async plantEverywhere(fault: Fault): Promise<void> {
    for (const problem of problemsFor(fault, this.options).flat()) await this.plantAt(fault, problem);
  }

  /** Faults that float64 alone can have go to the float64 side; all others to the hosts in turn. */
  async plantAt(fault: Fault | StepFault, problem: Problem): Promise<void> {
    const { float64 } = this.options;
    const host = fault.precision === 'float64' ? float64 : this.nextOf(this.options.hosts).implementation;
    const mistake: Mistake = {
      ...fault,
      singleStep: 'timeStep' in fault,
      plantIn: (side) => plant(fault, side),
      isLocated: (found) => isLocated(fault, found),
      place: whereOf(fault),
      isKind: (kind) => kind.names.includes(fault.name) || isOf(kind, fault.family),
      isName: (kind) => kind.names.includes(fault.name),
    };
    this.book.note(mistake, await tryMistake(mistake, problem, host, float64));
  }

  async plantInOptimizer(fault: UpdateFault): Promise<void> {
    for (const planted of updateCases(fault, this.options))
      this.book.note(
        { ...fault, singleStep: false },
        await this.updates.plant(fault, this.nextOf(this.trainable), planted),
      );
  }

  /** Plants an equivalent change, or a fault outside the catalogue, and notes which side is blamed for what. */
  async lookAtAll(
    list: 'equivalents' | 'heldOut',
    fault: Pick<Equivalent, 'name' | 'runs'> & Partial<Pick<Equivalent, 'equivalent'>>,
    why: string,
    families: readonly string[],
  ): Promise<void> {
    const { name, runs } = fault;
    for (const problem of problemsFor(fault, this.options).flat()) {
      const { implementation } = this.nextOf(this.options.hosts);
      const { caught, isFailing, diagnosis } = await lookAt(plant({ runs }, implementation), problem);
      const kind = families.some((one) => isOf(diagnosis?.kind, one)) ? undefined : diagnosis?.kind;
      this.book.noteHarmless(list, { name, why }, { isFailing, isBlamed: isFailing || caught.referee, kind });
    }
  }

  /** The same for an optimizer. */
  async lookAtUpdates(
    list: 'equivalents' | 'heldOut',
    fault: Pick<UpdateFault, 'name' | 'optimizer'> & Partial<UpdateEquivalent>,
    why: string,
  ): Promise<void> {
    for (const planted of updateCases(fault, this.options)) {
      const diagnosis = await this.updates.look(fault, this.nextOf(this.trainable), planted);
      const isFailing = diagnosis !== undefined;
      const said = { isFailing, isBlamed: isFailing, kind: diagnosis?.kind };
      this.book.noteHarmless(list, { name: fault.name, why }, said);
    }
  }

  report(seconds: number): TrialReport {
    const { hosts, notRun = [], ...options } = this.options;
    const names = hosts.map(({ implementation }) => implementation.name);
    const idle = {
      name: 'faults of optimizers',
      reason: `${names.join(', ')}: no training step is asked of it here`,
    };
    return concludeTrial({
      ...options,
      notRun: [...notRun, ...(this.hasOptimizer ? [] : [idle])],
      ...this.book.found,
      ...{ seconds, hosts: names },
    });
  }

  dispose(): void {
    this.updates.dispose();
  }

  private nextOf<T>(hosts: readonly T[]): T {
    return hosts[this.turn++ % hosts.length];
  }
}

function isOf(kind: FaultClass | undefined, family: string): boolean {
  return kind?.page.endsWith(`#${family}`) ?? false;
}
