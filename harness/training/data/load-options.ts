import type { OnMalformed } from './malformed';

/** Which columns of a long-form table mean what. */
export interface ColumnNames {
  /** default `sequence` */ readonly sequence?: string;
  /** default `step` where there is one, else the rows of a sequence are in file order */ readonly step?: string;
  /** default `label` */ readonly label?: string;
  /** default: all other columns */ readonly features?: readonly string[];
}

export interface LoadOptions {
  /** columns of a .csv or .tsv */ readonly columns?: ColumnNames;
  /** what separates the fields of a table; default by extension */ readonly delimiter?: string;
  /** default `fail` */ readonly onMalformed?: OnMalformed;
  /** gets every malformed row's report when they are skipped */ readonly onReport?: (line: string) => void;
  /** false: data without labels is welcome; default true */ readonly needLabels?: boolean;
  /** decides generated data; default 1 */ readonly seed?: number;
  /** `memory`: steps of a sequence, default 20 */ readonly timeSteps?: number;
  /** `memory`: number of sequences, default 2000 */ readonly examples?: number;
}
