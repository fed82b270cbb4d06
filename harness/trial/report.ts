import type { Phase } from '../base/problem';
import { version } from '../base/version';

export const trialFormat = 'rnn-parity-trial/3';

/** The results of one fault: how often it was planted, and how often the harness reported what. */
export interface TrialRow {
  readonly name: string;
  readonly fault: string;
  /** the section of the documentation about it, by its anchor */ readonly family: string;
  readonly phase: Phase;
  /** faults of one time step; the step counts in `localised` */ readonly singleStep: boolean;
  readonly planted: number;
  readonly caught: number;
  readonly byResults: number;
  readonly bySteps: number;
  readonly byProbe: number;
  readonly byRepeat: number;
  /** updates of training checks */ readonly byTraining: number;
  readonly byReferee: number;
  /** phase right; for a fault of one step the step, for one of an optimizer the quantity and the update as well */ readonly localised: number;
  readonly sideNamed: number;
  readonly sideWrong: number;
  /** the same fault planted on the scratch side: `scratch` blamed, and the correct twin blamed */
  readonly scratchNamed: number;
  readonly scratchWrong: number;
  readonly kindNamed: number;
  /** of these: by one name */ readonly kindAlone: number;
  readonly kindWrong: number;
}

/** An equivalent change, or a fault outside the catalogue: how often the harness blamed a side, or named a wrong fault class. */
export interface HarmlessRow {
  readonly name: string;
  /** why nothing may be found: the proof, or that the fault is held out */ readonly why: string;
  readonly planted: number;
  readonly caught: number;
  readonly blamed: number;
  readonly kindWrong: number;
}

/** All faults that were planted in one host. */
export interface HostRow {
  readonly name: string;
  readonly planted: number;
  readonly caught: number;
  readonly localised: number;
  readonly sideNamed: number;
  readonly kindNamed: number;
}

export interface TrialScore {
  /** per cent of the planted faults that any oracle caught */ readonly caught: number;
  /** per cent of single-step faults with phase and time step right */ readonly localised: number;
  /** per cent of optimizers' faults with phase, quantity and update right */ readonly updates: number;
  /** per cent of planted faults whose fault class was named correctly */ readonly kind: number;
  /** per cent that got one name, and the right one */ readonly alone: number;
  /** faults that got the name of a different fault class */ readonly kindWrong: number;
  /** per cent of planted faults where the faulty side was named, planted at either side */ readonly side: number;
  readonly sideWrong: number;
  /** harmless changes that were caught or named */ readonly blamed: number;
}

export interface TrialReport {
  readonly format: typeof trialFormat;
  readonly version: string;
  /** the network of layers that faults were planted in; absent for the simple RNN */ readonly layers?: string;
  readonly seed: number;
  readonly shapes: number;
  readonly seeds: number;
  readonly hosts: readonly string[];
  /** hosts that could not be opened, and why */
  readonly notRun: readonly { readonly name: string; readonly reason: string }[];
  readonly rows: readonly TrialRow[];
  readonly perHost: readonly HostRow[];
  readonly equivalents: readonly HarmlessRow[];
  readonly heldOut: readonly HarmlessRow[];
  /** wall clock */ readonly seconds: number;
  /** the unexpected results: at most 200 sentences */ readonly misses: readonly string[];
  readonly score: TrialScore;
  /** per cent caught below which the trial fails */ readonly break: number;
  readonly exitCode: 0 | 1;
}

type Findings = Omit<TrialReport, 'format' | 'version' | 'score' | 'exitCode' | 'notRun' | 'break'> &
  Partial<Pick<TrialReport, 'notRun' | 'break'>>;

/** The report of what was found: with the score, and the verdict. */
export function concludeTrial(found: Findings): TrialReport {
  const { seed, shapes, seeds, hosts, notRun = [], rows, perHost, equivalents, heldOut, seconds } = found;
  const { break: threshold = 100, misses, layers } = found;
  const score = scoreOf(rows, equivalents, heldOut);
  const wrong = score.kindWrong + score.sideWrong + score.blamed;
  return {
    format: trialFormat,
    version,
    ...(layers !== undefined && { layers }),
    ...{ seed, shapes, seeds, hosts, notRun, rows, perHost, equivalents, heldOut, seconds, score },
    misses: misses.slice(0, 200),
    break: threshold,
    exitCode: score.caught >= threshold && wrong === 0 ? 0 : 1,
  };
}

/** Sums over all rows, as per cent. */
export function scoreOf(
  rows: readonly TrialRow[],
  equivalents: readonly HarmlessRow[],
  heldOut: readonly HarmlessRow[],
): TrialScore {
  const steps = rows.filter(({ singleStep }) => singleStep);
  const updates = rows.filter(({ byTraining }) => byTraining > 0);
  const planted = total(rows, 'planted');
  const wrongKinds = [...equivalents, ...heldOut].reduce((sum, row) => sum + row.kindWrong, 0);
  return {
    caught: percent(total(rows, 'caught'), planted),
    localised: percent(total(steps, 'localised'), total(steps, 'planted')),
    updates: percent(total(updates, 'localised'), total(updates, 'planted')),
    kind: percent(total(rows, 'kindNamed'), planted),
    alone: percent(total(rows, 'kindAlone'), planted),
    kindWrong: total(rows, 'kindWrong') + wrongKinds,
    side: percent(total(rows, 'sideNamed') + total(rows, 'scratchNamed'), 2 * planted),
    sideWrong: total(rows, 'sideWrong') + total(rows, 'scratchWrong'),
    blamed: equivalents.reduce((sum, row) => sum + row.blamed, 0),
  };
}

type Count = { [K in keyof TrialRow]: TrialRow[K] extends number ? K : never }[keyof TrialRow];

function total(rows: readonly TrialRow[], count: Count): number {
  return rows.reduce((sum, row) => sum + row[count], 0);
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole;
}
