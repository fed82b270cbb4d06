import type { ClassifierGradients, Tensor } from '../../scratch/index';
import { memoize } from './memoize';

/** The weights of a problem; the output layer is there when labels or logits are. */
export interface ProblemWeights {
  /** [F, U] */ readonly kernel: Tensor;
  /** [U, U] */ readonly recurrentKernel: Tensor;
  /** [U] */ readonly bias: Tensor;
  /** [U, C] */ readonly outputKernel?: Tensor;
  /** [C] */ readonly outputBias?: Tensor;
}

/** One question put to every implementation: the same fields as the vectors format. */
export interface Problem {
  readonly id: string;
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U]; zeros when absent */ readonly initialState?: Tensor;
  /** [B, T] of 0 and 1 */ readonly mask?: Tensor;
  /** one class index per example; asks for the loss and its gradients */ readonly labels?: readonly number[];
  /** loss gradients that arrive at the recurrent layer from elsewhere; added to those of the labels */
  readonly upstream?: {
    /** [B, T, U] */ readonly states?: Tensor;
    /** [B, U] */ readonly finalState?: Tensor;
  };
  readonly weights: ProblemWeights;
}

/** One implementation's answer. A loss is a tensor of shape []. */
export interface Evaluation {
  readonly states?: Tensor;
  readonly finalState?: Tensor;
  readonly logits?: Tensor;
  readonly probabilities?: Tensor;
  readonly loss?: Tensor;
  readonly gradients?: Partial<ClassifierGradients>;
}

export type Precision = 'float32' | 'float64';

/** Where in the computation: states, then output and loss, then gradients, then the optimizer's step. */
export type Phase = 'forward' | 'loss' | 'backward' | 'update';

/** The dotted names of the vectors format, in the order of the computation. */
export const tensorNames = [
  'states',
  'finalState',
  'logits',
  'probabilities',
  'loss',
  'gradients.outputKernel',
  'gradients.outputBias',
  'gradients.inputs',
  'gradients.initialState',
  'gradients.kernel',
  'gradients.recurrentKernel',
  'gradients.bias',
] as const;

export type TensorName = (typeof tensorNames)[number];

/** The tensor of that dotted name, if the evaluation holds it. */
export function tensorOf(evaluation: Evaluation, name: TensorName): Tensor | undefined {
  const [group, key] = name.split('.') as [keyof Evaluation, keyof ClassifierGradients | undefined];
  return key === undefined ? (evaluation[group] as Tensor | undefined) : evaluation.gradients?.[key];
}

/** Named tensors as an Evaluation. */
export function evaluationOf(tensors: ReadonlyMap<string, Tensor>): Evaluation {
  const evaluation: Partial<Record<string, Tensor>> = {};
  const gradients: Partial<Record<string, Tensor>> = {};
  let backward = false;
  for (const [name, tensor] of tensors) {
    const key = name.startsWith('gradients.') ? name.slice('gradients.'.length) : undefined;
    if (key === undefined) evaluation[name] = tensor;
    else {
      gradients[key] = tensor;
      backward = true;
    }
  }
  return {
    ...(evaluation as Evaluation),
    ...(backward && { gradients: gradients }),
  };
}

/** What a full answer to this problem holds: the ledger that comparisons are counted against. */
export function expectedNames(problem: Problem): TensorName[] {
  const output = problem.weights.outputKernel !== undefined;
  const backward = problem.labels !== undefined || problem.upstream !== undefined;
  return tensorNames.filter((name) => {
    if (name === 'logits' || name === 'probabilities') return output;
    if (name === 'loss' || name.startsWith('gradients.output')) return problem.labels !== undefined;
    return name.startsWith('gradients.') ? backward : true;
  });
}

/** Anything that answers problems: the scratch network, a twin on one backend, a user's candidate. */
export interface Implementation {
  /** which side this is: `scratch`, `tfjs:wasm`, the candidate's name */ readonly name: string;
  readonly precision: Precision;
  /** names it declares not to give; their absence is then counted, not failed */
  readonly omits?: readonly TensorName[];
  evaluate(problem: Problem): Evaluation | Promise<Evaluation>;
  dispose?(): void;
}

/** The sizes of a problem; classes is undefined where there is no output layer. */
export interface ProblemSizes {
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
  readonly units: number;
  readonly classes: number | undefined;
}

/** Reads the sizes off inputs [B, T, F], recurrentKernel [U, U] and outputKernel [U, C]. */
export function sizesOf(problem: Problem): ProblemSizes {
  const [batch, timeSteps, features] = problem.inputs.shape;
  return {
    batch,
    timeSteps,
    features,
    units: problem.weights.bias.shape[0],
    classes: problem.weights.outputKernel?.shape[1],
  };
}

/** What each axis of a tensor counts, in words of the reports. */
export type AxisName = 'example' | 'timeStep' | 'feature' | 'unit' | 'fromUnit' | 'class';

/** The axes of every named tensor; fromUnit is the earlier unit, the row of recurrentKernel and outputKernel. */
export const tensorAxes: Readonly<Record<TensorName, readonly AxisName[]>> = {
  states: ['example', 'timeStep', 'unit'],
  finalState: ['example', 'unit'],
  logits: ['example', 'class'],
  probabilities: ['example', 'class'],
  loss: [],
  'gradients.outputKernel': ['fromUnit', 'class'],
  'gradients.outputBias': ['class'],
  'gradients.inputs': ['example', 'timeStep', 'feature'],
  'gradients.initialState': ['example', 'unit'],
  'gradients.kernel': ['feature', 'unit'],
  'gradients.recurrentKernel': ['fromUnit', 'unit'],
  'gradients.bias': ['unit'],
};

/** The shape that tensor must have in an answer to this problem. */
export function expectedShape(problem: Problem, name: TensorName): number[] {
  const { batch, timeSteps, features, units, classes } = sizesOf(problem);
  const sizes: Readonly<Record<AxisName, number>> = {
    example: batch,
    timeStep: timeSteps,
    feature: features,
    unit: units,
    fromUnit: units,
    class: classes ?? 0,
  };
  return tensorAxes[name].map((axis) => sizes[axis]);
}

/** The same problem with every number (but not the labels) sent through `change`. */
export function mapProblem(problem: Problem, change: (x: number) => number): Problem {
  const map = (tensor: Tensor): Tensor => ({ data: tensor.data.map(change), shape: tensor.shape });
  const { initialState, mask, upstream, weights } = problem;
  return {
    ...problem,
    inputs: map(problem.inputs),
    ...(initialState && { initialState: map(initialState) }),
    ...(mask && { mask: map(mask) }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && { states: map(upstream.states) }),
        ...(upstream.finalState && { finalState: map(upstream.finalState) }),
      },
    }),
    weights: {
      kernel: map(weights.kernel),
      recurrentKernel: map(weights.recurrentKernel),
      bias: map(weights.bias),
      ...(weights.outputKernel && { outputKernel: map(weights.outputKernel) }),
      ...(weights.outputBias && { outputBias: map(weights.outputBias) }),
    },
  };
}

/**
 * The problem a float32 side really solves: every number rounded to float32, as tensors of that side hold it. The same object
 * where there is nothing to round, so that all sides share what is derived from it.
 */
export const roundProblem = memoize(round);

function round(problem: Problem): Problem {
  let changed = 0;
  const rounded = mapProblem(problem, (x) => {
    const single = Math.fround(x);
    if (!Object.is(single, x)) changed++;
    return single;
  });
  return changed === 0 ? problem : rounded;
}
