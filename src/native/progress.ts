/** The slow steps of the set-up, in their order. */
export type SetUpStep = 'download' | 'extract' | 'compile' | 'strip' | 'check';

/** Where the set-up is; `done` of `total` bytes where that is known. */
export interface SetUpProgress {
  readonly step: SetUpStep;
  readonly done?: number;
  readonly total?: number;
}

export type ReportProgress = (progress: SetUpProgress) => void;
