import type { GraphBuilder, GraphTensor } from '../builder/index';
import type { Tensors } from '../cells/index';
import { stepsOf, type Sizes } from '../time/index';

/** What one layer hands to the next. Rows of [B, N], or of all time steps below each other: [T·B, N]. */
export interface Signal {
  readonly rows: GraphTensor;
  readonly hasTime: boolean;
  /** [T, B, 1]: which steps exist; absent where all do, or where there is no time axis */
  readonly mask?: GraphTensor<'bool'> | undefined;
  /** [T·B]: the inputs of an embedding */ readonly integers?: GraphTensor<'int32'> | undefined;
}

/** One layer applied to one batch, and the way back. */
export interface LayerPass {
  readonly output: Signal;
  /** [B, U] each */ readonly finalStates: readonly GraphTensor[];
  /** [T·B, U] by walk, in the order of that walk; only computed when it is fetched */
  sequences(): readonly GraphTensor[];
  backward(upstream: LayerUpstream): LayerGradients;
}

/** Loss gradients that arrive at a layer; what is absent counts as zero. */
export interface LayerUpstream {
  readonly output?: GraphTensor | undefined;
  readonly finalStates: readonly (GraphTensor | undefined)[];
  readonly sequences: readonly (GraphTensor | undefined)[];
}

export interface LayerGradients {
  readonly weights: Tensors;
  /** like the rows of the input */ readonly input: GraphTensor;
  /** [B, U] each */ readonly initialStates: readonly GraphTensor[];
}

/** Builds a layer on weights: what depends on weights alone is computed once, however many batches the layer is applied to. */
export type GraphLayer = (
  g: GraphBuilder,
  weights: Tensors,
) => (input: Signal, initialStates: readonly (GraphTensor | undefined)[], sizes: Sizes) => LayerPass;

/** Rows of all time steps with the steps in the opposite order. */
export function turned(g: GraphBuilder, rows: GraphTensor, sizes: Sizes): GraphTensor {
  return g.reshape(g.reverse(stepsOf(g, rows, sizes), 0), g.shape(rows));
}

/** The sum of those that are there. */
export function sumOf(
  g: GraphBuilder,
  ...parts: readonly (GraphTensor | undefined)[]
): GraphTensor | undefined {
  return parts.reduce((sum, part) => (sum && part ? g.add(sum, part) : (sum ?? part)), undefined);
}
