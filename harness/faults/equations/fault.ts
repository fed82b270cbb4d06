import type { Tensor } from '../../../scratch/index';
import type {
  Arithmetic,
  Block,
  Cell,
  Forward,
  FromAbove,
  Network,
  NetworkProblem,
  Outcome,
  Place,
  Ran,
} from '../../equations/index';
import type { Phase } from '../../base/problem';

/** A network that is wrong in one place, and what it is asked. */
export interface FaultyRun {
  readonly network: Network;
  readonly problem: NetworkProblem;
  /** another cell at some steps */ readonly cellAt?: (layer: string, t: number) => Cell | undefined;
  /** that the forward pass is that of the right network: the fault is in the backward pass alone */
  readonly isRightForward?: true;
  /** another arithmetic, where the loss is wrong */
  readonly around?: <V extends Block>(arithmetic: Arithmetic<V>) => Arithmetic<V>;
  /** changes a quantity as soon as it is computed */
  readonly observe?: <V extends Block>(place: Place, value: V) => V;
  /** changes a recurrent layer after it ran */
  readonly ran?: <V extends Block>(layer: string, ran: Ran<V>) => Ran<V>;
  /** the mask that a recurrent layer has instead of the problem's */
  readonly maskOf?: (layer: string) => Tensor | undefined;
  /** what arrives at a recurrent layer from above, where that is wrong */
  readonly above?: <V extends Block>(layer: string, above: FromAbove<V>) => FromAbove<V>;
  /** the forward pass that the walk back goes over, where it is not the one that ran */
  readonly back?: <V extends Block>(forward: Forward<V>) => Forward<V>;
  /** what is wrong with the answer itself */
  readonly finish?: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>) => Outcome<V>;
}

/** What a faulty network may depend on besides its problem. */
export interface Occasion {
  /** the answer before this one, by the names of the outcome */ readonly earlier?:
    ReadonlyMap<string, Tensor> | undefined;
  /** the time steps at which the mistake is made; default: all */ readonly isThere?: (t: number) => boolean;
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
  readonly runs: (network: Network, problem: NetworkProblem, occasion?: Occasion) => readonly FaultyRun[];
}
