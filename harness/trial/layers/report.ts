import type { Phase } from '../../base/problem';

export const layersTrialFormat = 'rnn-parity-layers-trial/1';

/** The results of one fault: how often it was planted, and how often the harness reported what. */
export interface LayersTrialRow {
  readonly name: string;
  readonly words: string;
  readonly page: string;
  readonly phase: Phase;
  readonly layer?: string;
  /** whether it was planted at one time step alone */ readonly singleStep: boolean;
  readonly planted: number;
  readonly caught: number;
  /** layer right; for a fault of one step the step as well */ readonly located: number;
  readonly named: number;
  /** of these: together with faults that give the same numbers */ readonly together: number;
  readonly wrongName: number;
  readonly side: number;
  readonly wrongSide: number;
}

export interface LayersTrialReport {
  readonly format: typeof layersTrialFormat;
  readonly version: string;
  /** "lstm:4" */ readonly layers: string;
  readonly seed: number;
  readonly seeds: number;
  readonly hosts: readonly string[];
  readonly rows: readonly LayersTrialRow[];
  /** changes that no problem of the trial shows, in words; whether any of them was blamed */
  readonly equivalents: readonly {
    readonly name: string;
    readonly planted: number;
    readonly blamed: number;
  }[];
  readonly score: LayersTrialScore;
  readonly misses: readonly string[];
  /** wall clock */ readonly seconds: number;
  readonly break: number;
  readonly exitCode: 0 | 1;
}

export interface LayersTrialScore {
  /** per cent of the planted faults */ readonly caught: number;
  /** per cent of the faults of one time step with layer and step right */ readonly located: number;
  /** per cent named alone, or together with faults that give the same numbers */ readonly named: number;
  /** per cent named alone */ readonly alone: number;
  readonly wrongNames: number;
  /** per cent where the faulty side is named, planted on either side */ readonly side: number;
  readonly wrongSides: number;
  readonly equivalentsBlamed: number;
}

export function layersScore(
  rows: readonly LayersTrialRow[],
  equivalents: LayersTrialReport['equivalents'],
): LayersTrialScore {
  const sum = (key: Counted, of = rows): number => of.reduce((total, row) => total + row[key], 0);
  const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
  const steps = rows.filter(({ singleStep }) => singleStep);
  const planted = sum('planted');
  return {
    caught: percent(sum('caught'), planted),
    located: percent(sum('located', steps), sum('planted', steps)),
    named: percent(sum('named'), planted),
    alone: percent(sum('named') - sum('together'), planted),
    wrongNames: sum('wrongName'),
    side: percent(sum('side'), 2 * planted),
    wrongSides: sum('wrongSide'),
    equivalentsBlamed: equivalents.reduce((total, { blamed }) => total + blamed, 0),
  };
}

type Counted = {
  [K in keyof Required<LayersTrialRow>]: Required<LayersTrialRow>[K] extends number ? K : never;
}[keyof LayersTrialRow];
