import type { Diagnosis, Sketch } from '../diagnosis/index';
import type { BlindSpot } from '../coverage/index';
import type { CaseVerdict } from '../judge/index';
import type { ExitCode } from '../base/outcome';
import type { ArithmeticFacts } from '../sides/arithmetic/index';

/** How many elements of each tensor a case must account for; made from the problem, not from the verdict. */
export interface PlannedCase {
  readonly implementation: string;
  readonly caseId: string;
  readonly tensors: Readonly<Record<string, number>>;
  /** on the results of a problem: its sizes, and what it has besides inputs and weights */
  readonly problem?: Sketch;
}

/** One side of a run. */
export interface SideReport {
  readonly name: string;
  readonly status: 'ran' | 'not run';
  readonly required: boolean;
  /** engine and version */ readonly version?: string;
  /** why it was not run */ readonly reason?: string;
  /** tensors that it declared beforehand not to give */ readonly omits?: readonly string[];
}

/** An implementation threw, ended or hung on a case. */
export interface HarnessError {
  readonly implementation: string;
  readonly caseId: string;
  readonly message: string;
  /** its own stack */ readonly trace: string;
}

/** A tensor that no case of a side could show to be right: ill-conditioned or vanished everywhere. */
export interface Unshown {
  readonly implementation: string;
  readonly tensor: string;
}

/** The browser of a run, and what each of its sides computed by. */
export interface BrowserFacts {
  /** as it names itself */ readonly userAgent: string;
  /** which run of rnn-parity served the page; absent for a page that was opened from disk */ readonly run?: string;
  readonly sides: readonly BrowserSideFacts[];
}

/** Judged by u = 2^-11. */
export interface HalfFacts {
  readonly problems: number;
  /** beyond the error budget of half precision as well */ readonly wrong: number;
}

export interface BrowserSideFacts {
  readonly name: string;
  /** engine, version, device */ readonly version: string;
  /** a program stands in for the graphics card */ readonly software: boolean;
  /** tfjs's own */ readonly flags: Readonly<Record<string, boolean | number>>;
  /** measured, and no part of any budget */ readonly arithmetic?: ArithmeticFacts;
  /** of a device that computes in half precision: how the problems come out when they are judged as half precision */
  readonly half?: HalfFacts;
  /** uncaptured errors of WebGPU, a lost device, a lost context */ readonly complaints: readonly string[];
  /** milliseconds until it was open */ readonly opened: number;
  /** milliseconds until it was done */ readonly took: number;
}

export const reportFormat = 'rnn-parity-report/1';

/** Everything a run found; the JSON of `--json`. */
export interface ParityReport {
  readonly format: typeof reportFormat;
  readonly seed: number;
  readonly only: string | null;
  /** the files of --vectors */ readonly vectors?: readonly string[];
  /** the module of --candidate */ readonly candidate?: string;
  /** what else the command that runs one case again needs, as in ['--layers', 'lstm:8'] */ readonly flags?: readonly string[];
  /** the whole suite ran: every tensor must then pass somewhere */ readonly complete: boolean;
  readonly sides: readonly SideReport[];
  readonly notes: readonly string[];
  readonly plan: readonly PlannedCase[];
  readonly cases: readonly CaseVerdict[];
  /** what is wrong with the worst of the failing cases, at most a few a side */ readonly diagnoses: readonly Diagnosis[];
  /** what no case of this run could have shown, and why; in words in `warnings` */
  readonly blindSpots?: readonly BlindSpot[];
  readonly warnings: readonly string[];
  readonly errors: readonly HarnessError[];
  readonly unshown: readonly Unshown[];
  /** what the ledger audit found: planned elements that no verdict accounts for */ readonly audit: readonly string[];
  /** where it ran, if that was a browser */ readonly browser?: BrowserFacts;
  readonly verdict: 'parity' | 'mismatch' | 'error' | 'backend not run';
  readonly exitCode: ExitCode;
}

interface OfCase {
  readonly implementation: string;
  readonly caseId: string;
}

/** One key for all that a report says of one case of one side. */
export const keyOf = ({ implementation, caseId }: OfCase): string => JSON.stringify([implementation, caseId]);

/** `tfjs:wasm, edge/one-step` */
export const placeOf = ({ implementation, caseId }: OfCase): string => `${implementation}, ${caseId}`;

/** What a report says of one side. */
export function ofSide(report: ParityReport, name: string): ParityReport {
  const { plan, cases, diagnoses, errors, unshown } = report;
  const isOwn = ({ implementation }: { readonly implementation: string }): boolean => implementation === name;
  return {
    ...report,
    ...{ plan: plan.filter(isOwn), cases: cases.filter(isOwn), diagnoses: diagnoses.filter(isOwn) },
    ...{ errors: errors.filter(isOwn), unshown: unshown.filter(isOwn) },
  };
}

/** The names of the sides that ran. */
export const ranIn = ({ sides }: Pick<ParityReport, 'sides'>): string[] =>
  sides.filter(({ status }) => status === 'ran').map(({ name }) => name);
