import type { Phase, Precision, Problem } from '../base/problem';
import type { HandNetwork } from './hand-network';

/** The sections of docs/bptt.md that explain a kind of mistake, by anchor. */
export const families = [
  'notebook',
  'carry',
  'arriving',
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
  'optimizer',
] as const;
export type Family = (typeof families)[number];

/** A network that answers one question, and may remember the one before. */
export type NetworkClass = new (problem: Problem, earlier?: HandNetwork) => HandNetwork;

/** A planted fault: a network that is wrong in one place. The harness is only worth something if it rejects every one. */
export interface Fault {
  /** short and unique, as `carry/dropped` */ readonly name: string;
  /** what is wrong, in words: a sentence without its end */ readonly words: string;
  /** the section of docs/bptt.md about it */ readonly family: Family;
  /** where in the computation its first wrong number is */ readonly phase: Phase;
  /** the faulty network */ readonly network: NetworkClass;
  /** whether this problem can show it at all; absent: every problem with a backward pass can */
  readonly shows?: (problem: Problem) => boolean;
  /** why it gives the right answer to every problem that cannot show it: the proof, in a sentence */
  readonly equivalent?: string;
  /** a fault of this precision only: the other one rounds more than it does */ readonly precision?: Precision;
  /** a fault that needs an earlier call: the first answer is right */ readonly calls?: true;
}

/** A fault of one time step only. */
export interface StepFault extends Fault {
  /** the step, counted from 0 */ readonly timeStep: number;
  /** the first wrong quantity, as a diagnosis names it; and the step of its equation, where it has one */
  readonly wrong: { readonly tensor: string; readonly timeStep?: number };
}

/** Whether the problem can show the fault to a side of that precision. */
export function canShow(fault: Fault, problem: Problem, precision: Precision): boolean {
  if (fault.precision !== undefined && fault.precision !== precision) return false;
  if (fault.shows !== undefined) return fault.shows(problem);
  return fault.phase !== 'backward' || problem.labels !== undefined || problem.upstream !== undefined;
}
