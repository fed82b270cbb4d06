import type { ClassifierGradients, Tensor } from '../../scratch/index';
import {
  layeredNames,
  layeredTables,
  type ByLayer,
  type LayeredProblem,
  type ProblemTables,
} from './layered';
import { memoize } from './memoize';
import type { Axis, Model } from './model';

export type { ByLayer, LayeredProblem } from './layered';
export type { Axis, AxisName, CellText, Model, ModelLayer, OwnCellConfig } from './model';

/** The weights of a problem; the output layer is there when labels or logits are. */
export interface ProblemWeights {
  /** [F, U] */ readonly kernel: Tensor;
  /** [U, U] */ readonly recurrentKernel: Tensor;
  /** [U] */ readonly bias: Tensor;
  /** [U, C] */ readonly outputKernel?: Tensor;
  /** [C] */ readonly outputBias?: Tensor;
}

/** One question about the simple RNN and its output layer: the same fields as the vectors format. */
export interface Problem {
  readonly id: string;
  readonly model?: undefined;
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

/** A question of either kind; `model` tells them apart. */
export type AnyProblem = Problem | LayeredProblem;

/** Whether the problem is about a network of layers. */
export function isLayered(problem: AnyProblem): problem is LayeredProblem {
  return problem.model !== undefined;
}

/** Whether the inputs are integers, which an embedding reads. */
export function readsIntegers(problem: AnyProblem): boolean {
  return problem.model?.layers[0].layer === 'embedding';
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

/** An answer to a layered problem; code that goes by dotted names takes it as any other Evaluation. */
export interface LayeredEvaluation {
  /**
   * By layer, h_1 .. h_T of each of its walks through time, [B, T, U]: `h`, of a bidirectional layer `forwardH` and `backwardH`; one that
   * walks backwards gives them in the order of its walk. A candidate need not give them: only then are single steps out of sight.
   */
  readonly sequences?: ByLayer;
  /** by layer and carried state */ readonly finalStates?: ByLayer;
  /** what the last layer gives [B, C] or [B, T, C] */ readonly logits?: Tensor;
  /** probabilities, or the logits themselves for meanSquaredError */ readonly outputs?: Tensor;
  readonly loss?: Tensor;
  readonly gradients?: {
    readonly inputs?: Tensor;
    readonly weights?: ByLayer;
    readonly initialStates?: ByLayer;
  };
}

export type Precision = 'float32' | 'float64';

/** Where in the computation: states, then output and loss, then gradients, then the optimizer's step. */
export type Phase = 'forward' | 'loss' | 'backward' | 'update';

/** The tensor of that dotted name, if the evaluation holds it. */
export function tensorOf(evaluation: Evaluation, name: string): Tensor | undefined {
  return tensorAt(evaluation, name);
}

/** The tensor under a dotted name; `layer2` is the second of an array. */
function tensorAt(value: object, name: string): Tensor | undefined {
  let found: unknown = value;
  for (const key of name.split('.'))
    found = (found as Readonly<Record<string, unknown>> | undefined)?.[layerIndex(key) ?? key];
  return found as Tensor | undefined;
}

/** 1 of `layer2`; a number of five digits, which only a stranger's answer can have, is a name like any other. */
function layerIndex(key: string): number | undefined {
  const found = /^layer([1-9]\d{0,3})$/.exec(key);
  return found === null ? undefined : Number(found[1]) - 1;
}

/**
 * Named things nested as their dotted names say, with `{}` for each of so many layers that has none. The objects have no prototype: a
 * stranger's `__proto__` is a name like any other.
 */
function nested(named: Iterable<readonly [string, unknown]>, layers = 0): Record<string, unknown> {
  const empty = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;
  const root = empty();
  for (const [name, value] of named) {
    const keys = name.split('.');
    let into: Record<string | number, unknown> = root;
    keys.forEach((key, i) => {
      const at = layerIndex(key) ?? key;
      if (typeof at === 'number') for (let k = 0; k < at; k++) into[k] ??= empty();
      const isLast = i === keys.length - 1;
      const isList = !isLast && layerIndex(keys[i + 1]) !== undefined;
      into[at] ??= isLast ? value : isList ? Array.from({ length: layers }, empty) : empty();
      into = into[at] as Record<string | number, unknown>;
    });
  }
  return root;
}

/** Named tensors as an Evaluation. */
export function evaluationOf(tensors: ReadonlyMap<string, Tensor>): Evaluation {
  return nested(tensors);
}

/** What a full answer to this problem holds: the ledger that comparisons are counted against. */
export function expectedNames(problem: Problem): TensorName[];
export function expectedNames(problem: AnyProblem): string[];
export function expectedNames(problem: AnyProblem): string[] {
  if (isLayered(problem)) return layeredNames(problem);
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
  readonly omits?: readonly string[];
  /** names it may leave out where a problem has no labels */ readonly omitsWithoutLabels?: readonly string[];
  evaluate(problem: Problem): Evaluation | Promise<Evaluation>;
  /** networks of layers; absent where the side has the simple RNN only */ readonly layered?: LayeredImplementation;
  dispose?(): void;
}

/** What a side does with networks of layers. */
export interface LayeredImplementation {
  /** the layers that a candidate declares: it answers problems about these, and none about the simple RNN by itself */
  readonly declared?: readonly string[];
  /** names it need not give, or what they begin with: `sequences` */ readonly omits?: readonly string[];
  /** why the side cannot run this model, as the end of a sentence; undefined when it can */
  refuses?(model: Model): string | undefined;
  evaluate(problem: LayeredProblem): LayeredEvaluation | Promise<LayeredEvaluation>;
}

/** The names that an implementation need not give in its answer to this problem. */
export function omitsOf(
  { omits = [], omitsWithoutLabels = [], layered }: OmitsOf,
  problem: AnyProblem,
): string[] {
  if (isLayered(problem)) return expectedNames(problem).filter((name) => isIn(name, layered?.omits ?? []));
  return [...omits, ...(problem.labels === undefined ? omitsWithoutLabels : [])];
}

type OmitsOf = Pick<Implementation, 'omits' | 'omitsWithoutLabels' | 'layered'>;

/** Whether a dotted name is one of these, or begins with one. */
export function isIn(name: string, names: readonly string[]): boolean {
  return names.some((one) => name === one || name.startsWith(`${one}.`));
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

/**
 * The dotted names of the vectors format in the order of the computation, and the axes of each tensor; fromUnit is the earlier unit, the
 * row of recurrentKernel and outputKernel.
 */
export const tensorAxes = {
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
} as const satisfies Readonly<Record<string, readonly SizedAxis[]>>;

export type TensorName = keyof typeof tensorAxes;
export const tensorNames = Object.keys(tensorAxes) as readonly TensorName[];

/** What the axes of the simple RNN's tensors count. */
type SizedAxis = 'example' | 'timeStep' | 'feature' | 'unit' | 'fromUnit' | 'class';

/** Every tensor that a problem about the simple RNN may hold, by its dotted name, and what its axes count. */
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
} as const satisfies Readonly<Record<string, readonly SizedAxis[]>>;

/**
 * Everything that a problem and an answer to it may hold, of either kind: one table that all walks over a problem read (mapping, cutting,
 * growing, printing). The labels are not in it. Classes are 0 where the simple RNN has no output layer.
 */
export function tablesOf(problem: AnyProblem): ProblemTables {
  return isLayered(problem) ? layeredTables(problem) : simpleTables(problem);
}

const simpleTables = memoize((problem: Problem): ProblemTables => {
  const { batch, timeSteps, features, units, classes = 0 } = sizesOf(problem);
  const sizes = { example: batch, timeStep: timeSteps, feature: features, unit: units, class: classes };
  const table = (axes: Readonly<Record<string, readonly SizedAxis[]>>): ProblemTables['parts'] =>
    new Map(
      Object.entries(axes).map(([name, own]) => [
        name,
        own.map((counts) => {
          const range = counts === 'fromUnit' ? 'unit' : counts;
          return { counts, size: sizes[range], ranges: [range] };
        }),
      ]),
    );
  return { parts: table(partAxes), answer: table(tensorAxes), sizes: new Map(Object.entries(sizes)) };
});

/** What the axes of that tensor count in an answer to this problem. */
export function axesOf(problem: AnyProblem, name: string): readonly Axis[] {
  const { answer } = tablesOf(problem);
  const found = answer.get(name);
  if (found === undefined)
    throw new Error(
      `problem ${problem.id} has no tensor ${name}; there are ${[...answer.keys()].join(', ')}`,
    );
  return found;
}

/** The shape that tensor must have in an answer to this problem. */
export function expectedShape(problem: AnyProblem, name: string): number[] {
  return axesOf(problem, name).map(({ size }) => size);
}

/** The tensor of that dotted name, if the problem holds it. */
export function partOf(problem: AnyProblem, name: string): Tensor | undefined {
  return tensorAt(problem, name);
}

/** The names of the tensors that the problem holds, in the order of the table. */
export function partsOf(problem: AnyProblem): string[] {
  return [...tablesOf(problem).parts.keys()].filter((name) => partOf(problem, name) !== undefined);
}

/** The problem's tensors under their names, nested as in the problem, each as `write` gives it; model and labels as they are. */
export function fieldsOf(
  problem: AnyProblem,
  write: (tensor: Tensor, name: string) => unknown,
): Record<string, unknown> {
  const { model, labels } = problem;
  const parts = partsOf(problem).map((name) => {
    const tensor = partOf(problem, name)!;
    return [name, write(tensor, name)] as const;
  });
  const { upstream, weights, ...own } = nested(parts, model?.layers.length);
  return {
    ...(model && { model }),
    ...own,
    ...(labels && { labels }),
    ...(upstream !== undefined && { upstream }),
    weights,
  };
}

/** A layered problem of tensors under their dotted names. */
export function layeredProblem(
  { id, model, labels }: Pick<LayeredProblem, 'id' | 'model' | 'labels'>,
  tensors: Iterable<readonly [string, Tensor]>,
): LayeredProblem {
  const { inputs, weights, ...parts } = nested(tensors, model.layers.length);
  const all = {
    id,
    model,
    inputs,
    ...parts,
    ...(labels && { labels }),
    weights: weights ?? model.layers.map(() => ({})),
  };
  return all as unknown as LayeredProblem;
}

/** The same problem with these tensors, by their dotted names, instead of its own or besides them. */
export function withParts<P extends AnyProblem>(problem: P, tensors: Iterable<readonly [string, Tensor]>): P {
  const own = partsOf(problem).map((name) => [name, partOf(problem, name)!] as const);
  const parts = nested(new Map([...own, ...tensors]), problem.model?.layers.length);
  return { ...problem, ...parts };
}

/** The same problem with every tensor (but not the labels) sent through `change`. */
export function mapParts<P extends AnyProblem>(
  problem: P,
  change: (tensor: Tensor, name: string) => Tensor,
): P {
  return { ...problem, ...fieldsOf(problem, change) };
}

/** The same problem with every number (but not the labels) sent through `change`. */
export function mapProblem<P extends AnyProblem>(problem: P, change: (x: number) => number): P {
  return mapParts(problem, ({ data, shape }) => ({ data: data.map(change), shape }));
}

/**
 * The problem a float32 side really solves: every number rounded to float32, as tensors of that side hold it. The same object
 * where there is nothing to round, so that all sides share what is derived from it.
 */
export const roundProblem = memoize(round) as <P extends AnyProblem>(problem: P) => P;

function round(problem: AnyProblem): AnyProblem {
  let changed = 0;
  const rounded = mapProblem(problem, (x) => {
    const single = Math.fround(x);
    if (!Object.is(single, x)) changed++;
    return single;
  });
  return changed === 0 ? problem : rounded;
}
