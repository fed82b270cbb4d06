/**
 * The weights that a step reads, flat. The gates of a cell lie side by side, as in Keras: a matrix of G gates has G blocks
 * of U columns.
 */
export interface CellWeights {
  /** [U, G·U]; row: from which unit of the previous state */ readonly recurrentKernel: Float64Array;
  /** [G·U]: what a GRU with two biases adds to h_{t-1} · recurrentKernel; zeros elsewhere */
  readonly recurrentBias: Float64Array;
}

/**
 * One time step of all examples. The rows of the examples lie below each other, so that a step is one matrix.
 *
 * The walk through time makes x_t · kernel + bias before the step runs, and everything that follows from dz_t after it,
 * because neither needs another step; the cell does what is left.
 */
export interface StepBase {
  /** B */ readonly rows: number;
  /** U */ readonly units: number;
  /** [B, G·U]; arrives as x_t · kernel + bias, and leaves as the pre-activation z_t */ readonly z: Float64Array;
  /** [B, G·U]: dLoss/d(x_t · kernel + bias) */ readonly dz: Float64Array;
  /** [B, U]: h_{t-1}, what the step before left */ readonly hBefore: Float64Array;
  /** [B, U]: h_t */ readonly h: Float64Array;
  /** [B, U]: collects dLoss/dh_{t-1} */ readonly dhBefore: Float64Array;
  /** [B, U]: dLoss/dh_t, complete */ readonly dh: Float64Array;
  /** [B, U]: c_{t-1}; the cell state of an LSTM, empty elsewhere */ readonly cBefore: Float64Array;
  /** [B, U]: c_t */ readonly c: Float64Array;
  /** [B, U]: collects dLoss/dc_{t-1} */ readonly dcBefore: Float64Array;
  /** [B, U]: dLoss/dc_t as it arrives from step t + 1 */ readonly dc: Float64Array;
}

/** A step with the arrays that its cell keeps for the way back. */
export type Step<Kept extends string> = StepBase & Readonly<Record<Kept, Float64Array>>;

/** One time step, forward and backward, of one kind of recurrent layer. */
export interface Cell<Kept extends string = never> {
  /** names of the blocks of columns, in Keras's order */ readonly gates: readonly string[];
  /** what a step hands to the next one */ readonly carries: readonly ('h' | 'c')[];
  /** the arrays that a step keeps for its way back, and how many blocks of U columns each has */
  readonly keeps: Readonly<Record<Kept, number>>;
  /**
   * From z = x_t · kernel + bias and the states before the step to the states after it.
   *
   * @param fromZeros whether the states before are zeros, so that a product with them adds nothing
   */
  forward(step: Step<Kept>, weights: CellWeights, fromZeros: boolean): void;
  /**
   * From dh_t and dc_t to dz_t, and to what the step adds to dh_{t-1} and dc_{t-1}.
   *
   * @param toBefore whether what it adds to dh_{t-1} and dc_{t-1} is read; training does not read it at the first step
   */
  backward(step: Step<Kept>, weights: CellWeights, toBefore: boolean): void;
  /**
   * Adds the gradients of the recurrent weights. `all` holds the rows of all T steps: its arrays are those of the steps,
   * below each other. The sum over time is part of the product.
   */
  recurrentGradients(all: Step<Kept>, gradients: CellWeights): void;
}
