import type { Evaluation, Phase } from '../base/problem';
import type { Place } from '../judge/index';

/** Which mistake it looks like: faults that, replayed, give the numbers of the side. */
export interface FaultClass {
  /** names of the faults that explain every number; several where this problem cannot tell them apart */
  readonly names: readonly string[];
  /** the mistake in words that a student understands */ readonly words: string;
  /** where it is explained: `docs/bptt.md#carry` */ readonly page: string;
  /** the one step, counted from 0, that the mistake is made at; absent where it is made at all of them */ readonly timeStep?: number;
  /** the one layer of the network that is wrong, as its equations name it: `layer2` */ readonly layer?: string;
  /** the one gate that is wrong: `f` */ readonly gate?: string;
}

/** The first number that is wrong of itself, in the order of the computation. */
export interface WrongNumber {
  /** `{ example: 0, timeStep: 3, unit: 1 }`, counted from 0 */ readonly at: Place;
  readonly given: number;
  /** what it should be: from the side's own earlier values where those could be seen, else the reference's */
  readonly expected: number;
  /** units in the last place (of the side's precision) between the two */ readonly ulps: number;
}

/** One factor between every wrong number and what it should be. */
export interface Ratio {
  /** given / expected */ readonly times: number;
  /** what that may be, in letters: `B`, `1/T`, `1/ln 2`; several where sizes are equal */ readonly equals: readonly string[];
}

/** What is wrong with one answer: where it begins, which mistake it looks like, and who made it. */
export interface Diagnosis {
  readonly implementation: string;
  readonly caseId: string;
  readonly phase: Phase;
  /** the first wrong quantity in the order of the computation: `states`, `dPreActivations`, `gradients.kernel` */
  readonly tensor: string;
  /** its equation, in letters */ readonly formula?: string;
  /**
   * the steps whose own equation is wrong, ascending, counted from 0; what they only inherit from other steps is not counted.
   * Absent where the quantity has no time steps, or they could not be seen
   */
  readonly timeSteps?: readonly number[];
  readonly worst?: WrongNumber;
  /** tensors whose results are wrong only because of the above */ readonly inherited: readonly string[];
  readonly kind?: FaultClass;
  /** where all wrong results are one multiple of the right ones */ readonly ratio?: Ratio;
  /** what the error looks like where no fault of the catalogue explains it: a clause */ readonly clue?: string;
  /** what the failing problems of this side have in common, and no other problem has: `B = 1`, `T > 16`, `steps are masked` */
  readonly onlyWhere?: string;
  /** `scratch`, the side's name, `both`, `expected numbers` (of a vectors file) or `undecided`, by the independent referees */ readonly side: string;
  /** what the referees looked at */ readonly sideNote: string;
  /** what could not be looked at, and why */ readonly unseen: readonly string[];
}

export interface DiagnoseOptions {
  /** the side that made the reference; default `scratch` */ readonly against?: string;
  /** names the fault, or says what the error looks like; default true */ readonly kind?: boolean;
  /** numbers that the results were held to instead of the reference's: of a vectors file */ readonly expected?:
    Evaluation | undefined;
}

/** Whose mistake it is where a side and the reference agree and the numbers of a vectors file do not. */
export const expectedNumbers = 'expected numbers';
