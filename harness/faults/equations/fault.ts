import type { Arithmetic, Block, Cell, Network, NetworkProblem, Outcome } from '../../equations/index';
import type { Phase } from '../../base/problem';

/** A network that is wrong in one place, and what it is asked. */
export interface FaultyRun {
  readonly network: Network;
  readonly problem: NetworkProblem;
  /** another cell at some steps */ readonly cellAt?: (layer: string, t: number) => Cell | undefined;
  /** that the forward pass is that of the right network: the other cells differ in their backward step alone */
  readonly isRightForward?: true;
  /** another arithmetic, where the loss is wrong */
  readonly around?: <V extends Block>(arithmetic: Arithmetic<V>) => Arithmetic<V>;
  /** what is wrong with the answer itself */
  readonly finish?: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>) => Outcome<V>;
}

/** A mistake that a network of layers can have. */
export interface EquationFault {
  /** unique among the faults of a network: layer, place and what is wrong there */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
  /** the section of the documentation about it: `docs/bptt-gated.md#slopes` */ readonly page: string;
  /** where in the computation its first wrong number is */ readonly phase: Phase;
  /** the layer that is wrong; absent where it is the whole network */ readonly layer?: string;
  /** the quantity whose equation is wrong: `c`, `dz`, `gradients.kernel`, `mask` */ readonly quantity: string;
  readonly gate?: string;
  /** the one step, counted from 0, at which it is wrong; absent where it is wrong at all of them */
  readonly timeStep?: number;
  /** the same mistake at one time step; absent where it has no time step */
  readonly atStep?: (timeStep: number) => EquationFault;
  /**
   * the faulty networks: a wrong forward pass may be differentiated as it is, or keep the backward pass of the right one. Empty where
   * the problem has nothing that could go wrong (no mask, no initial state)
   */
  readonly runs: (network: Network, problem: NetworkProblem) => readonly FaultyRun[];
}
