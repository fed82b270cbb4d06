import type { Phase, Precision, Problem } from '../base/problem';
import type { HandNetwork } from './hand-network';

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

/** A network that answers one question, and may remember the one before. */
export type NetworkClass = new (problem: Problem, earlier?: HandNetwork) => HandNetwork;

/** A planted fault: a network that is wrong in one place. The harness is only worth something if it rejects every one. */
export interface Fault {
  /** short and unique, as `carry/dropped` */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
  /** the section of docs/bptt.md about it */ readonly family: Family;
  /** where in the computation its first wrong number is */ readonly phase: Phase;
  /** the faulty network */ readonly network: NetworkClass;
  /** a fault of this precision only: the other one rounds more, or overflows elsewhere */
  readonly precision?: Precision;
  /** a fault that needs an earlier call: the first answer is right */ readonly calls?: true;
}

/** Another way to compute the same function: it looks like a mistake but is correct. */
export interface Equivalent extends Fault {
  /** the proof, in a sentence */ readonly equivalent: string;
}
