import type { GraphBuilder, GraphTensor, Ops } from '../builder/index';

// Shape letters: B batch, T time steps, F features, U units. Inside the graph time comes first ([T, B, ...]), so that
// a step's rows lie next to each other and all steps together are one matrix of T*B rows.

/** The weights of the recurrent layer, as tensors of the graph. */
export interface RecurrentWeights {
  /** [F, U] */ readonly kernel: GraphTensor;
  /** [U, U] */ readonly recurrentKernel: GraphTensor;
  /** [U] */ readonly bias: GraphTensor;
}

export interface RecurrentInputs {
  /** [B, T, F] */ readonly inputs: GraphTensor;
  /** [B, U]; zeros when absent */ readonly initialState?: GraphTensor | undefined;
  /** [B, T]; a step whose mask is false keeps the state */ readonly mask?: GraphTensor<'bool'> | undefined;
}

/** What reaches the states from the loss: at least one of the two. */
export interface Upstream {
  /** [T, B, U] */ readonly states?: GraphTensor | undefined;
  /** [B, U] */ readonly finalState?: GraphTensor | undefined;
}

export interface RecurrentGradients extends RecurrentWeights {
  /** [B, T, F] */ readonly inputs: GraphTensor;
  /** [B, U] */ readonly initialState: GraphTensor;
}

/** The recurrent layer applied to one batch, and the way back. */
export interface RecurrentPass {
  /** [B, U] */ readonly finalState: GraphTensor;
  /** [T, B, U]; only computed when it is fetched */ states(): GraphTensor;
  backward(upstream: Upstream): RecurrentGradients;
}

/** Builds the nodes of one pass. */
export type Recurrent = (g: GraphBuilder, weights: RecurrentWeights, given: RecurrentInputs) => RecurrentPass;

/** The inputs in time order, and their projections: all steps in one matrix product. */
export interface Projection {
  /** [T, B, F] */ readonly timeMajor: GraphTensor;
  /** [T*B, F] */ readonly rows: GraphTensor;
  /** [T*B, U] = rows @ kernel + bias */ readonly projected: GraphTensor;
}

export function project(g: Ops, { kernel, bias }: RecurrentWeights, inputs: GraphTensor): Projection {
  const timeMajor = g.transpose(inputs, [1, 0, 2]);
  const features = g.slice(g.shape(kernel), [0], [1]);
  const rows = g.reshape(timeMajor, g.concat([g.int([-1]), features], 0));
  return { timeMajor, rows, projected: g.biasAdd(g.matMul(rows, kernel), bias) };
}

/** What the steps of the backward pass leave for the products over all steps at once. */
export interface BackwardSteps {
  /** [T*B, U]: dA_t, gradients of the pre-activations, in time order */ readonly dPreActivations: GraphTensor;
  /** [N*B, U]: h_{t-1} of the last N steps; N = T, or T - 1 where h_{-1} = 0 is left out */
  readonly previousStates: GraphTensor | undefined;
  /** [N*B, U]: dA_t of those steps */ readonly dPreActivationsOfThose: GraphTensor | undefined;
  /** [B, U] */ readonly dInitialState: GraphTensor;
}

/**
 * The gradients that sum over time, each as one matrix product over the T*B rows:
 *
 *     dKernel          = sum_t x_t^T dA_t
 *     dRecurrentKernel = sum_t h_{t-1}^T dA_t
 *     dBias            = sum_t sum_b dA_t
 *     dX_t             = dA_t kernel^T
 */
export function gatherGradients(
  g: Ops,
  { kernel, recurrentKernel }: RecurrentWeights,
  { timeMajor, rows }: Projection,
  steps: BackwardSteps,
): RecurrentGradients {
  const { dPreActivations, previousStates, dPreActivationsOfThose, dInitialState } = steps;
  const dRows = g.matMul(dPreActivations, kernel, { transposeB: true });
  return {
    kernel: g.matMul(rows, dPreActivations, { transposeA: true }),
    recurrentKernel:
      previousStates === undefined || dPreActivationsOfThose === undefined
        ? g.zerosLike(recurrentKernel)
        : g.matMul(previousStates, dPreActivationsOfThose, { transposeA: true }),
    bias: g.sum(dPreActivations, [0]),
    inputs: g.transpose(g.reshape(dRows, g.shape(timeMajor)), [1, 0, 2]),
    initialState: dInitialState,
  };
}
