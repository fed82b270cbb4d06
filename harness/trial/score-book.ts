import type { Diagnosis, FaultClass } from '../diagnosis/index';
import type { HarmlessRow, HostRow, TrialReport, TrialRow } from './report';

/** The name of a fault and where it belongs. */
export type Planted = Pick<TrialRow, 'name' | 'family' | 'phase' | 'singleStep'> & { readonly words: string };

/** The results of one planted fault. */
export interface Outcome {
  /** host and problem, in words */ readonly where: string;
  /** the oracles that failed the answer */ readonly by: readonly Oracle[];
  readonly isCaught: boolean;
  readonly diagnosis?: Diagnosis | undefined;
  /** whether the diagnosis names the place, and the place in words */
  readonly isLocated: boolean;
  readonly place: string;
  /** the side it was planted on */ readonly host: string;
  /** whether the right fault class was named */ readonly isKind: boolean;
  /** whether its own name, or an equal one, is among the names */ readonly isName: boolean;
  /** the side that the referees blame when the same fault is planted on scratch */ readonly sideOfScratch: string;
}

export const oracles = ['results', 'steps', 'probe', 'repeat', 'training', 'referee'] as const;
export type Oracle = (typeof oracles)[number];

const columns = {
  results: 'byResults',
  steps: 'bySteps',
  probe: 'byProbe',
  repeat: 'byRepeat',
  training: 'byTraining',
  referee: 'byReferee',
} as const satisfies Record<Oracle, keyof TrialRow>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Counts = Writable<TrialRow>;

/** Counts the results of the planted faults, and keeps a sentence for every unexpected result. */
export class ScoreBook {
  readonly misses: string[] = [];
  private readonly harmless = {
    equivalents: new Map<string, Writable<HarmlessRow>>(),
    heldOut: new Map<string, Writable<HarmlessRow>>(),
  };
  private readonly counts = new Map<string, Counts>();
  private readonly hosts = new Map<string, Writable<HostRow>>();

  /** Everything that was counted. */
  get found(): Pick<TrialReport, 'rows' | 'perHost' | 'misses' | 'equivalents' | 'heldOut'> {
    const { counts, hosts, misses, harmless } = this;
    return {
      ...{ rows: [...counts.values()], perHost: [...hosts.values()], misses },
      equivalents: [...harmless.equivalents.values()],
      heldOut: [...harmless.heldOut.values()],
    };
  }

  note(fault: Planted, outcome: Outcome): void {
    const row = this.rowOf(fault);
    const { diagnosis, host, sideOfScratch } = outcome;
    const missed = (what: string): void => {
      this.misses.push(`${fault.name} on ${outcome.where}: ${what}`);
    };
    row.planted++;
    for (const oracle of outcome.by) row[columns[oracle]]++;
    if (outcome.isCaught) row.caught++;
    else missed('not caught');
    if (outcome.isLocated) row.localised++;
    else missed(`located in ${inWords(diagnosis)}, not ${outcome.place}`);
    const side = diagnosis?.side ?? 'undecided';
    if (side === host) row.sideNamed++;
    else if (side !== 'undecided') row.sideWrong++;
    if (side !== host) missed(`side ${side}`);
    const kind = diagnosis?.kind;
    if (outcome.isKind) {
      row.kindNamed++;
      if (kind?.names.length === 1) row.kindAlone++;
    } else if (kind !== undefined && !outcome.isName) row.kindWrong++;
    if (!(outcome.isKind && outcome.isName)) missed(`kind ${kind?.names.join(', ') ?? 'unknown'}`);
    if (sideOfScratch === 'scratch') row.scratchNamed++;
    else if (sideOfScratch !== 'undecided') row.scratchWrong++;
    if (sideOfScratch !== 'scratch') missed(`planted on scratch, side ${sideOfScratch}`);
    const own = this.hosts.get(host) ?? {
      ...{ name: host, planted: 0, caught: 0, localised: 0, sideNamed: 0, kindNamed: 0 },
    };
    this.hosts.set(host, own);
    own.planted++;
    own.caught += Number(outcome.isCaught);
    own.localised += Number(outcome.isLocated);
    own.sideNamed += Number(side === host);
    own.kindNamed += Number(outcome.isKind);
  }

  /** Counts what was said of an equivalent change, or of a fault outside the catalogue. */
  noteHarmless(
    list: 'equivalents' | 'heldOut',
    { name, why }: Pick<HarmlessRow, 'name' | 'why'>,
    said: { readonly isFailing: boolean; readonly isBlamed: boolean; readonly kind?: FaultClass | undefined },
  ): void {
    const rows = this.harmless[list];
    const row = rows.get(name) ?? { name, why, planted: 0, caught: 0, blamed: 0, kindWrong: 0 };
    rows.set(name, row);
    row.planted++;
    row.caught += Number(said.isFailing);
    row.blamed += Number(said.isBlamed);
    row.kindWrong += Number(said.kind !== undefined);
    if (said.kind !== undefined) this.misses.push(`${name}: called ${said.kind.names.join(', ')}`);
  }

  private rowOf({ name, words, family, phase, singleStep }: Planted): Counts {
    const known = this.counts.get(name);
    if (known !== undefined) return known;
    const row: Counts = {
      ...{ name, fault: words.replace(/time step \d+/, 'one time step'), family, phase, singleStep },
      ...{ planted: 0, caught: 0, byResults: 0, bySteps: 0, byProbe: 0, byRepeat: 0, byTraining: 0 },
      ...{ byReferee: 0, localised: 0, sideNamed: 0, sideWrong: 0, scratchNamed: 0, scratchWrong: 0 },
      ...{ kindNamed: 0, kindAlone: 0, kindWrong: 0 },
    };
    this.counts.set(name, row);
    return row;
  }
}

function inWords(diagnosis: Diagnosis | undefined): string {
  if (diagnosis === undefined) return 'nothing';
  const { caseId, phase, tensor, timeSteps } = diagnosis;
  if (phase === 'update') return `${phase}, ${tensor} of ${caseId}`;
  return `${phase}, ${tensor} at step ${timeSteps?.join(' and ') ?? 'none'}`;
}
