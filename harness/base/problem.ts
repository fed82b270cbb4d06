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

/** One question that every implementation answers: the same fields as the vectors format. */
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
  /** names it may leave out where a problem has no labels */ readonly omitsWithoutLabels?: readonly TensorName[];
  evaluate(problem: Problem): Evaluation | Promise<Evaluation>;
  dispose?(): void;
}

/** The names that an implementation need not give in its answer to this problem. */
export function omitsOf(
  { omits = [], omitsWithoutLabels = [] }: Pick<Implementation, 'omits' | 'omitsWithoutLabels'>,
  { labels }: Pick<Problem, 'labels'>,
): TensorName[] {
  return [...omits, ...(labels === undefined ? omitsWithoutLabels : [])];
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

/** The sizes of a problem by what is counted, some of them replaced; classes are 0 where there is no output layer. */
export function sizesByAxis(
  problem: Problem,
  replaced: Partial<ProblemSizes> = {},
): Readonly<Record<AxisName, number>> {
  const { batch, timeSteps, features, units, classes } = { ...sizesOf(problem), ...replaced };
  return {
    example: batch,
    timeStep: timeSteps,
    feature: features,
    unit: units,
    fromUnit: units,
    class: classes ?? 0,
  };
}

/** The shape that tensor must have in an answer to this problem. */
export function expectedShape(problem: Problem, name: TensorName): number[] {
  const sizes = sizesByAxis(problem);
  return tensorAxes[name].map((axis) => sizes[axis]);
}

/**
 * Every tensor that a problem may hold, by its dotted name, and what its axes count: one table that all walks over a problem read
 * (mapping, cutting, growing, printing). The labels, one class an example, stand beside it.
 */
export const partAxes = {
  inputs: ['example', 'timeStep', 'feature'],
  initialState: ['example', 'unit'],
  mask: ['example', 'timeStep'],
  'upstream.states': ['example', 'timeStep', 'unit'],
  'upstream.finalState': ['example', 'unit'],
  'weights.kernel': ['feature', 'unit'],
  'weights.recurrentKernel': ['fromUnit', 'unit'],
  'weights.bias': ['unit'],
  'weights.outputKernel': ['fromUnit', 'class'],
  'weights.outputBias': ['class'],
} as const satisfies Readonly<Record<string, readonly AxisName[]>>;

export type PartName = keyof typeof partAxes;

const partNames = Object.keys(partAxes) as PartName[];

/** The tensor of that dotted name, if the problem holds it. */
export function partOf(problem: Problem, name: PartName): Tensor | undefined {
  const path = name.split('.');
  const group = path.length === 1 ? problem : problem[path[0] as 'upstream' | 'weights'];
  return (group as Readonly<Record<string, Tensor | undefined>> | undefined)?.[path[path.length - 1]];
}

/** The names of the tensors that the problem holds, in the order of the table. */
export function partsOf(problem: Problem): PartName[] {
  return partNames.filter((name) => partOf(problem, name) !== undefined);
}

/** The problem's tensors under their names, nested as in the problem, each as `write` gives it; labels as they are. */
export function fieldsOf<T>(
  problem: Problem,
  write: (tensor: Tensor, name: PartName) => T,
): Record<string, T | readonly number[] | Record<string, T>> {
  const fields: Record<string, T | readonly number[] | Record<string, T>> = {};
  for (const name of partsOf(problem)) {
    const value = write(partOf(problem, name)!, name);
    const [group, key] = name.split('.') as [string, string | undefined];
    if (key === undefined) fields[group] = value;
    else fields[group] = { ...(fields[group] as Record<string, T> | undefined), [key]: value };
  }
  const { upstream, weights, ...own } = fields;
  return {
    ...own,
    ...(problem.labels && { labels: problem.labels }),
    ...(upstream && { upstream }),
    weights,
  };
}

/** The same problem with every tensor (but not the labels) sent through `change`. */
export function mapParts(problem: Problem, change: (tensor: Tensor, name: PartName) => Tensor): Problem {
  return { ...problem, ...fieldsOf(problem, change) };
}

/** The same problem with every number (but not the labels) sent through `change`. */
export function mapProblem(problem: Problem, change: (x: number) => number): Problem {
  return mapParts(problem, ({ data, shape }) => ({ data: data.map(change), shape }));
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
