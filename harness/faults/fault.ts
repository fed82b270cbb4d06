import type { Evaluation, Phase, Precision } from '../base/problem';
import type { EquationFault } from './equations/index';

/** The sections of docs/bptt.md that explain a fault class, by anchor. */
export const families = [
  'notebook',
  'carry',
  'upstream',
  'transpose',
  'tanh-derivative',
  'wrong-time-step',
  'previous-state',
  'batch-mean',
  'truncated',
  'initial-state',
  'bias-axis',
  'loss',
  'masks',
  'weights-import',
  'memory',
  'precision',
  'clipping-and-update-order',
  'other-layer',
  'optimizer',
] as const;
export type Family = (typeof families)[number];

/** A planted fault: a network that is wrong in one place. The harness is only worth something if it rejects every one. */
export interface Fault {
  /** short and unique, as `carry/dropped` */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
  /** the section of docs/bptt.md about it */ readonly family: Family;
  /** where in the computation its first wrong number is */ readonly phase: Phase;
  /** the faulty network, as a change of the right one; none where the problem has nothing that could go wrong */
  readonly runs: EquationFault['runs'];
  /** a fault of this precision only: the other one rounds more, or overflows elsewhere */
  readonly precision?: Precision;
  /** a fault that needs an earlier call: the first answer is right */ readonly calls?: true;
  /** the answer as the caller gets it; `before` is the one that the caller got at the last call, and still holds */
  readonly handedOver?: (answer: Evaluation, before: Evaluation | undefined) => Evaluation;
}

/** Another way to compute the same function: it looks like a mistake but is correct. */
export interface Equivalent extends Fault {
  /** the proof, in a sentence */ readonly equivalent: string;
}
