import type { Implementation, Problem } from '../problem';
import { silentProgress, type StartProgress } from '../progress';
import {
  equivalents,
  plant,
  specimens,
  stepSpecimens,
  type Specimen,
  type StepSpecimen,
} from '../specimens/index';
import { version } from '../version';
import { heldOut } from './held-out';
import { lookAt, sideOfScratch, type Look } from './look';
import { longProblems, problemsFor, type TrialSizes } from './problems';
import { scoreOf, trialFormat, type HarmlessRow, type TrialReport, type TrialRow } from './report';

export interface TrialOptions extends TrialSizes {
  /** sides that faults are planted in, in turn */ readonly hosts: readonly Implementation[];
  /** the float64 side, for faults that only it can have */ readonly float64: Implementation;
  readonly notRun?: TrialReport['notRun'];
  /** whether a specimen takes part, by its name */ readonly isWanted?: (name: string) => boolean;
  /** per cent caught below which the trial fails; default 100 */ readonly break?: number;
  readonly progress?: StartProgress;
}

type Counts = { -readonly [K in keyof TrialRow]: TrialRow[K] };

/**
 * Puts the harness on trial: every specimen of the catalogue is planted in right implementations, in turn, and the harness is asked
 * whether something is wrong, where, of what kind, and on which side. Equivalent changes may not be accused, and faults that
 * are not in the catalogue may not be called by the name of another.
 */
export async function runTrial(options: TrialOptions): Promise<TrialReport> {
  const trial = new Trial(options);
  const { isWanted = () => true } = options;
  const wanted = specimens.filter(({ name }) => isWanted(name));
  const steps = stepCases(options).filter(([specimen]) => isWanted(specimen.name));
  const silent = equivalents.filter(({ name }) => isWanted(name));
  const strangers = heldOut.filter(({ name }) => isWanted(name));
  const total = wanted.length + steps.length + silent.length + strangers.length;
  const progress = (options.progress ?? silentProgress)('trial', total);
  for (const specimen of wanted) {
    await trial.plantEverywhere(specimen);
    progress.step(specimen.name);
  }
  for (const [specimen, problem] of steps) {
    await trial.plantAt(specimen, problem);
    progress.step(specimen.name);
  }
  for (const specimen of silent) {
    await trial.harmless(specimen);
    progress.step(specimen.name);
  }
  for (const stranger of strangers) {
    await trial.stranger(stranger);
    progress.step(stranger.name);
  }
  progress.stop();
  return trial.report();
}

function stepCases(sizes: TrialSizes): [StepSpecimen, Problem][] {
  return longProblems(sizes).flatMap(({ problem, steps }) =>
    steps.flatMap((step) =>
      stepSpecimens(step)
        .filter((specimen) => specimen.shows?.(problem) ?? true)
        .map((specimen): [StepSpecimen, Problem] => [specimen, problem]),
    ),
  );
}

class Trial {
  private readonly rows = new Map<string, Counts>();
  private readonly equivalents: HarmlessRow[] = [];
  private readonly strangers: HarmlessRow[] = [];
  private readonly misses: string[] = [];
  private turn = 0;

  constructor(private readonly options: TrialOptions) {}

  async plantEverywhere(specimen: Specimen): Promise<void> {
    const precision = specimen.precision ?? 'float32';
    for (const problems of problemsFor(specimen, precision, this.options))
      for (const problem of problems) await this.plantAt(specimen, problem);
  }

  async plantAt(specimen: Specimen | StepSpecimen, problem: Problem): Promise<void> {
    const host = this.hostFor(specimen);
    const look = await lookAt(plant(specimen, host), problem);
    const row = this.rowOf(specimen);
    const missed = (what: string): void => {
      this.misses.push(`${specimen.name} on ${host.name}, ${problem.id}: ${what}`);
    };
    row.planted++;
    this.count(row, look, missed);
    if (isLocalised(specimen, look)) row.localised++;
    else if ('timeStep' in specimen)
      missed(
        `located in ${look.phase ?? 'nothing'} at step ${look.timeStep ?? 'none'}, not ${whereOf(specimen)}`,
      );
    if (look.side === host.name) row.sideNamed++;
    else if (look.side !== 'undecided') row.sideWrong++;
    if (look.side !== host.name) missed(`side ${look.side}`);
    const { kind } = look;
    if (
      kind !== undefined &&
      (kind.names.includes(specimen.name) || kind.page.endsWith(`#${specimen.family}`))
    )
      row.kindNamed++;
    else if (kind !== undefined) row.kindWrong++;
    if (!(kind?.names.includes(specimen.name) ?? false))
      missed(`kind ${kind?.names.join(', ') ?? 'unknown'}`);
    const { float64 } = this.options;
    const twin = host === float64 ? { ...float64, name: 'twin' } : host;
    const scratch = await sideOfScratch(problem, plant(specimen, float64), twin);
    if (scratch === 'scratch') row.scratchNamed++;
    else if (scratch !== 'undecided') row.scratchWrong++;
    if (scratch !== 'scratch') missed(`planted on scratch, side ${scratch}`);
  }

  private count(row: Counts, { caught }: Look, missed: (what: string) => void): void {
    row.byResults += Number(caught.results);
    row.bySteps += Number(caught.steps);
    row.byProbe += Number(caught.probe);
    row.byRepeat += Number(caught.repeat);
    row.byReferee += Number(caught.referee);
    const any = caught.results || caught.steps || caught.probe || caught.repeat;
    row.caught += Number(any);
    if (!any) missed('not caught');
  }

  async harmless(specimen: Specimen): Promise<void> {
    this.equivalents.push(
      await this.lookAtAll(specimen.name, specimen.equivalent ?? '', specimen.network, []),
    );
  }

  async stranger({ name, families, network }: (typeof heldOut)[number]): Promise<void> {
    const why = 'not in the catalogue: it may be named only by its family, or not at all';
    this.strangers.push(await this.lookAtAll(name, why, network, families));
  }

  private async lookAtAll(
    name: string,
    why: string,
    network: Specimen['network'],
    families: readonly string[],
  ): Promise<HarmlessRow> {
    const row = { name, why, planted: 0, caught: 0, accused: 0, kindWrong: 0 };
    const anything: Specimen = { name, fault: why, family: 'carry', phase: 'backward', network };
    for (const problem of problemsFor(anything, 'float32', this.options).flat()) {
      const host = this.hostFor(anything);
      const { caught, side, kind } = await lookAt(plant({ network }, host), problem);
      row.planted++;
      const any = caught.results || caught.steps || caught.probe || caught.repeat;
      row.caught += Number(any);
      row.accused += Number(any || side !== 'undecided');
      const wrong = kind !== undefined && !families.some((family) => kind.page.endsWith(`#${family}`));
      row.kindWrong += Number(wrong);
      if (wrong) this.misses.push(`${name} on ${host.name}, ${problem.id}: called ${kind.names.join(', ')}`);
    }
    return row;
  }

  report(): TrialReport {
    const { seed, shapes, seeds, hosts, notRun = [], break: threshold = 100 } = this.options;
    const rows = [...this.rows.values()];
    const score = scoreOf(rows, this.equivalents, this.strangers);
    const wrong = score.kindWrong + score.sideWrong + score.accused;
    return {
      format: trialFormat,
      version,
      seed,
      shapes,
      seeds,
      hosts: hosts.map(({ name }) => name),
      notRun,
      rows,
      equivalents: this.equivalents,
      heldOut: this.strangers,
      misses: this.misses.slice(0, 200),
      score,
      break: threshold,
      exitCode: score.caught >= threshold && wrong === 0 ? 0 : 1,
    };
  }

  /** Faults that float64 alone can have go to the float64 side; all others to the hosts in turn. */
  private hostFor(specimen: Specimen): Implementation {
    const { hosts, float64 } = this.options;
    return specimen.precision === 'float64' ? float64 : hosts[this.turn++ % hosts.length];
  }

  private rowOf(specimen: Specimen | StepSpecimen): Counts {
    const { name, family, phase } = specimen;
    const known = this.rows.get(name);
    if (known !== undefined) return known;
    const singleStep = 'timeStep' in specimen;
    const fault = specimen.fault.replace(/time step \d+/, 'one time step');
    const row: Counts = {
      ...{ name, fault, family, phase, singleStep, planted: 0, caught: 0 },
      ...{ byResults: 0, bySteps: 0, byProbe: 0, byRepeat: 0, byReferee: 0, localised: 0 },
      ...{ sideNamed: 0, sideWrong: 0, scratchNamed: 0, scratchWrong: 0, kindNamed: 0, kindWrong: 0 },
    };
    this.rows.set(name, row);
    return row;
  }
}

function isLocalised(specimen: Specimen | StepSpecimen, { phase, tensor, timeStep }: Look): boolean {
  if (phase !== specimen.phase) return false;
  if (!('timeStep' in specimen)) return true;
  const { wrong } = specimen;
  return wrong.timeStep === undefined ? tensor === wrong.tensor : timeStep === wrong.timeStep;
}

function whereOf({ phase, wrong }: StepSpecimen): string {
  return `${phase}, ${wrong.tensor} at step ${wrong.timeStep ?? 'none'}`;
}
