import type { GraphTensor, Ops } from '../builder/index';

// Shape letters: B batch, T time steps, F features, U units, G gates.

export type Tensors = Readonly<Record<string, GraphTensor>>;

/** The carried states of a layer: h, and for an LSTM the cell state c; [B, U] each. */
export type StateName = 'h' | 'c';
export type States = Readonly<Partial<Record<StateName, GraphTensor>>>;

/** The weights that a step multiplies by; the gates lie in the cell's own order. */
export interface CellWeights {
  /** [U, G·U] */ readonly recurrentKernel: GraphTensor;
  /** [G·U]; of a GRU with two biases */ readonly recurrentBias?: GraphTensor | undefined;
  /** of a cell with `projects` */ readonly kernel: GraphTensor;
  /** of a cell with `projects` */ readonly bias: GraphTensor | undefined;
  /** [1]: U */ readonly units: GraphTensor<'int32'>;
  /** whether the matrices are so large that transposing them once per call pays (see `transposedOnce`) */
  readonly large: boolean;
}

/** What a step reads. */
export interface StepInput {
  /** x_t · kernel + bias [B, width·U], by part; x_t [B, F] for a cell with `projects` */ readonly x: readonly GraphTensor[];
  /** the states before the step; empty where they are zeros, so that nothing is multiplied by them */
  readonly before: States;
  /** [1]: U */ readonly units: GraphTensor<'int32'>;
}

/** What the steps of a whole sequence leave for the products over all of them. */
export interface AllSteps {
  /** the cell's `rows`, those of all steps below each other: [T·B, ...] */ readonly rows: Tensors;
  /** [T·B, U]: h_{t-1} of all steps */ readonly before: GraphTensor;
}

export interface CellGradients {
  /** by part, [T·B, width·U]: dLoss/d(x_t · kernel + bias) */ readonly parts: readonly GraphTensor[];
  readonly recurrentKernel: GraphTensor;
  /** of a cell that has one */ readonly recurrentBias?: GraphTensor;
}

/**
 * One time step of one kind of recurrent layer, as nodes of a graph; forward next to backward. Both forms of the walk through
 * time use it: `unrolled` calls it once per step, `looped` once for the body of its loop.
 */
export interface Cell {
  readonly states: readonly StateName[];
  /** Keras's gates in the order of this cell's columns: those that share an activation lie side by side */
  readonly gateOrder: readonly number[];
  /** how x_t · kernel + bias arrives: blocks of so many units, each a product of its own over all steps */
  readonly parts: readonly number[];
  /** whether the step itself multiplies x_t by the kernel */ readonly projects?: true;
  /** names of what `forward` keeps for `backward` */ readonly keeps: readonly string[];
  /** what `backward` gives for the gradients of weights: names, and how many units wide each is */
  readonly rows: Readonly<Record<string, number>>;
  /** What every step needs of the weights, computed once per call. */
  constants(g: Ops, weights: CellWeights): { readonly forward: Tensors; readonly backward: Tensors };
  /** What is added to the bias of x_t · kernel, [G·U], because no step needs it apart. */
  readonly biasOfProjection?: (
    g: Ops,
    recurrentBias: GraphTensor,
    units: GraphTensor<'int32'>,
  ) => GraphTensor;
  forward(g: Ops, step: StepInput, constants: Tensors): { readonly after: States; readonly kept: Tensors };
  /** @param dAfter dLoss/dh_t, complete, and what arrives at c_t from step t + 1, if anything does */
  backward(
    g: Ops,
    dAfter: States & { readonly h: GraphTensor },
    at: { readonly before: States; readonly after: States; readonly kept: Tensors },
    constants: Tensors,
  ): { readonly dBefore: States; readonly rows: Tensors };
  /** The sums over all steps, each as one product. */
  gradients(g: Ops, all: AllSteps, weights: CellWeights): CellGradients;
}

/** a + b; an absent one is zero. */
export function plus(g: Ops, a: GraphTensor, b: GraphTensor | undefined): GraphTensor {
  return b === undefined ? a : g.add(a, b);
}

/** h · matrix, absent where h is. */
export function times(g: Ops, h: GraphTensor | undefined, matrix: GraphTensor): GraphTensor | undefined {
  return h === undefined ? undefined : g.matMul(h, matrix);
}

/**
 * A matrix for products with its transpose. oneDNN takes up to twice the time for a product whose second factor it transposes on
 * the way (one thread, [16, 512] by [128, 512]ᵀ: 46 µs, and 23 µs by a transposed copy; [64, 2048] by [512, 2048]ᵀ: 1.95 ms and
 * 1.26 ms), so a large matrix is copied once per call. The copy of a small one costs more than it saves: 5 of the 106 µs of a
 * whole step at B10 T5 U4.
 */
export function transposedOnce(g: Ops, name: string, matrix: GraphTensor, large: boolean): Tensors {
  return large ? { [`${name}Transposed`]: g.transpose(matrix, [1, 0]) } : { [name]: matrix };
}

/** d · matrixᵀ, for a matrix from `transposedOnce`. */
export function timesTransposed(g: Ops, d: GraphTensor, constants: Tensors, name: string): GraphTensor {
  const copy = `${name}Transposed`;
  return copy in constants
    ? g.matMul(d, constants[copy])
    : g.matMul(d, constants[name], { transposeB: true });
}

/** Σ_t leftᵀ_t · right_t over the rows of all steps: [columns of left, columns of right]. */
export function sumOfProducts(g: Ops, left: GraphTensor, right: GraphTensor): GraphTensor {
  return g.matMul(left, right, { transposeA: true });
}

/** The columns of x cut into blocks of so many units. */
export function blocks(
  g: Ops,
  x: GraphTensor,
  widths: readonly number[],
  units: GraphTensor<'int32'>,
  axis = 1,
): GraphTensor[] {
  if (widths.length === 1) return [x];
  return g.splitSizes(x, g.mul(g.int(widths), units), widths.length, axis);
}
