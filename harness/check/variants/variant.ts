import type { Tensor } from '../../../scratch/index';
import type { ModelLayer } from '../../models/index';

/** A known mistake of a program, or a known difference between programs: the layer as that program runs it. */
export interface Variant {
  /** `recurrent-activation`, `gate-order`, ... */ readonly id: string;
  /** completes "the layer looks as if ..." */ readonly words: string;
  readonly gates?: readonly string[];
  readonly layer: ModelLayer;
  /** how that program reads the input and gives the output, where it is another order */
  readonly order?: { readonly read: (input: Tensor) => Tensor; readonly give: (output: Tensor) => Tensor };
}
