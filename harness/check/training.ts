import {
  resolveOptimizer,
  type CompileOptions,
  type ResolvedOptimizerConfig,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import { isLayerConfig } from '../base/model';
import { UsageError } from '../base/outcome';
import type { LayeredEvaluation } from '../base/problem';
import { mapRecord } from '../base/process/index';
import { ProblemRefusedError } from '../base/side-errors';
import type { PrecisionModel } from '../budget/index';
import { customaryEpsilons, otherEpsilonInWords } from '../faults/index';
import {
  compareUpdate,
  isFailing,
  isUpdateOf,
  namedUpdate,
  showsUpdate,
  type MadeUpdate,
  type Place,
  type TensorVerdict,
  type UpdateComparison,
} from '../judge/index';
import { namedWeights, type ModelDescription, type ModelLayer } from '../models/index';
import type { Cause } from './causes';
import type { Difference } from './difference';
import type { ModelInputs } from './reference';
import {
  chainsOnly,
  type ModelSide,
  type TrainingAnswer,
  type TrainingQuestion,
  type TrainingStart,
} from './sides/side';
import { batchOf, mapWeights, updated, type TrainingBatch } from './training-steps';

/** What is asked of training steps. */
export interface TrainingOptions {
  /** updates, each from the weights and the memory of the reference after the one before */ readonly steps: number;
  /** default adam, with Keras's settings */ readonly optimizer?: CompileOptions['optimizer'] | undefined;
  /** of the labels or targets */ readonly seed: number;
}

/** How the training steps of one side compare. */
export interface JudgedTraining {
  readonly verdicts: readonly TensorVerdict[];
  readonly differences: readonly Difference[];
  /** whether any new weight differs from the one before by more than rounding may do: else a side that does not train would pass */
  readonly isSeen: boolean;
}

/** One step of the reference. */
interface ReferenceStep extends Start {
  readonly question: TrainingQuestion;
  readonly made: TrainingAnswer;
}

/**
 * Training steps of a model. Every step starts all sides from the same numbers, those of the reference after the
 * step before, rounded to float32: otherwise a gradient near zero, of which Adam makes a whole step, would drive them apart.
 */
export class Training {
  readonly steps: number;
  readonly optimizer: ResolvedOptimizerConfig;
  readonly notes: readonly string[];
  private readonly batch: TrainingBatch;
  private readonly starts: readonly Start[];
  /** the layers that have weights */ private readonly trained: readonly ModelLayer[];
  private readonly known = new Map<string, readonly ReferenceStep[]>();
  /** Adam's form was asked for, and is not left to each program */ private readonly isFormFixed: boolean;

  /** @throws UsageError that says what of the model cannot be trained, RangeError on a setting that makes no sense */
  constructor(
    private readonly model: ModelDescription,
    inputs: ModelInputs,
    { steps, optimizer = 'adam', seed }: TrainingOptions,
  ) {
    this.steps = steps;
    this.optimizer = resolveOptimizer({ optimizer });
    this.batch = batchOf(model, inputs, seed);
    this.isFormFixed = typeof optimizer !== 'string' && 'form' in optimizer;
    this.starts = startsOf(this.batch, this.optimizer, steps);
    this.trained = model.layers.filter(({ config }) => isLayerConfig(config));
    const { note } = this.batch;
    this.notes = [
      ...(note === undefined ? [] : [note]),
      ...(this.optimizer.name === 'adam' && !this.isFormFixed
        ? [
            "Keras's Adam adds epsilon to sqrt(v), those of TensorFlow.js and PyTorch to sqrt(v / (1 - beta2^t)): each is judged by its own form",
          ]
        : []),
    ];
  }

  /** Why a side cannot train this model, as far as it is known before it is asked. */
  whyNot(name: string): string | undefined {
    const [family, backend = ''] = name.split(':');
    if (family === 'onnxruntime' || family === 'browser') return 'it only predicts here';
    const isChain = 'problem' in this.batch.question(this.starts[0].from);
    if (!isChain && (family === 'twin' || family === 'graph')) return chainsOnly;
    const embedding = this.model.layers.find(({ config }) => config.layer === 'embedding');
    return family === 'tfjs' && backend === 'wasm' && embedding !== undefined
      ? `TensorFlow.js has no gradient of an embedding on wasm (layer ${embedding.name})`
      : undefined;
  }

  /**
   * @throws ProblemRefusedError when the side cannot train this model
   */
  async judge({ name, train, model }: Pick<ModelSide, 'name' | 'train' | 'model'>): Promise<JudgedTraining> {
    const why = this.whyNot(name) ?? (train === undefined ? 'it does not train' : undefined);
    if (why !== undefined || train === undefined) throw new ProblemRefusedError(why);
    const comparisons: UpdateComparison<string>[] = [];
    for (const step of this.stepsFor(name))
      comparisons.push(this.comparisonOf(name, step, await train(step.question), model));
    const judged = comparisons.map((comparison) => compareUpdate(comparison));
    const verdicts = judged.flatMap(({ tensors }) => tensors);
    const at = judged.findIndex(({ status }) => status === 'fail');
    if (at < 0) {
      const isSeen = comparisons.some(
        (comparison, i) => judged[i].tensors.some(isRightWeight) && showsUpdate(comparison),
      );
      return { verdicts, differences: [], isSeen };
    }
    const [first] = judged[at].tensors
      .filter(isFailing)
      .toSorted((a, b) => order.indexOf(groupOf(a)) - order.indexOf(groupOf(b)));
    return { verdicts, differences: [this.differenceOf(first, at + 1, comparisons)], isSeen: true };
  }

  /** The reference's steps, in the form of Adam that the side has. */
  private stepsFor(side: string): readonly ReferenceStep[] {
    const { optimizer } = this;
    const own: ResolvedOptimizerConfig =
      optimizer.name === 'adam' && !this.isFormFixed
        ? { ...optimizer, form: side === 'keras' ? 'keras' : 'tfjs' }
        : optimizer;
    const key = own.name === 'adam' ? own.form : '';
    const stepFrom = ({ gradients, ...start }: Start): ReferenceStep => {
      const from = { ...start.from, optimizer: own };
      return { from, gradients, question: this.batch.question(from), made: updated(gradients, from) };
    };
    const found = this.known.get(key) ?? this.starts.map(stepFrom);
    this.known.set(key, found);
    return found;
  }

  private comparisonOf(
    side: string,
    { question, from, gradients: { loss, weights: gradients }, made: scratch }: ReferenceStep,
    answer: TrainingAnswer,
    precision: PrecisionModel,
  ): UpdateComparison<string> {
    const { optimizer, step, slots } = question;
    const gradientOf = (weight: string): string => `gradients.weights.${weight}`;
    const weights = named(from.weights);
    const problem = 'problem' in question ? question.problem : undefined;
    const reference: LayeredEvaluation = {
      ...(loss !== undefined && { loss: { data: Float64Array.of(loss), shape: [] } }),
      gradients: { weights: gradients },
    };
    return {
      ...{ caseId: `training step ${step + 1}`, optimizer, gradientOf },
      ...(problem ? { problem } : { budget: this.batch.budget?.(from.weights, precision) }),
      reference,
      scratch: made(scratch),
      start: { weights, state: { step, slots: mapRecord(slots, named) } },
      given: made(answer),
      // the twin runs the kernels of TensorFlow.js
      side: { name: side.replace(/^twin:/, 'tfjs:'), precision: 'float32' },
    };
  }

  private differenceOf(
    { tensor, status, worst }: TensorVerdict,
    step: number,
    comparisons: readonly UpdateComparison<string>[],
  ): Difference {
    const [group, at = '', ...rest] = tensor.split('.');
    const weight = rest.join('.');
    // of a loss, or of a layer that the model does not have, the last one
    const layer = this.trained[Number(at.slice('layer'.length)) - 1] ?? this.trained[this.trained.length - 1];
    const what = group === 'weights' ? weight : `${group} of ${weight}`;
    const { feature, fromUnit, integer, bias, gate, unit, output } = (worst?.at ?? {}) as Partial<Place>;
    const row = feature ?? fromUnit ?? integer ?? bias;
    const column = unit ?? output;
    const { given, scratch } = comparisons[step - 1];
    return {
      layerNumber: this.model.layers.indexOf(layer) + 1,
      layer: layer.name,
      kind: layer.kind,
      tensor: group === 'loss' ? `loss of training step ${step}` : `${what} after training step ${step}`,
      ...(row !== undefined && { row: Number(row) }),
      ...(column !== undefined && { unit: Number(column) }),
      ...(gate !== undefined && { gate: String(gate) }),
      ...(isOtherwiseShaped(status) && {
        shapes: shapesOf(tensor, namedUpdate(given), namedUpdate(scratch)),
      }),
      given: worst?.given ?? NaN,
      expected: worst?.reference ?? NaN,
      used: worst?.usedShare ?? Infinity,
      causes: isOtherwiseShaped(status) ? [] : causesOf(comparisons),
    };
  }
}

/** What is made first comes first: weights follow from the memory. */
const order = ['loss', 'velocity', 'm', 'v', 'weights'];
const groupOf = ({ tensor }: TensorVerdict): string => tensor.split('.')[0];

const isOtherwiseShaped = (status: TensorVerdict['status']): boolean =>
  ['missing', 'extra', 'shape'].includes(status);

const isRightWeight = (verdict: TensorVerdict): boolean =>
  groupOf(verdict) === 'weights' && verdict.status !== 'ill';

/** Absent where there is no such tensor; a wrong number of numbers is a shape of its own. */
function shapesOf(
  tensor: string,
  given: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
): NonNullable<Difference['shapes']> {
  const [found, wanted] = [given.get(tensor), expected.get(tensor)];
  const isWhole = found?.data.length === found?.shape.reduce((a, b) => a * b, 1);
  return {
    ...(found && { given: isWhole ? found.shape : [found.data.length] }),
    ...(wanted && { expected: wanted.shape }),
  };
}

const named = (weights: StackWeights): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(namedWeights(weights));

const made = ({ loss, weights, slots }: TrainingAnswer): MadeUpdate<string> => ({
  loss,
  weights: named(weights),
  state: { slots: mapRecord(slots, named) },
});

/** Where a step starts, with the gradients of the reference there. */
interface Start {
  readonly from: TrainingStart & { readonly weights: StackWeights };
  readonly gradients: ReturnType<TrainingBatch['gradients']>;
}

/** Every step starts from the numbers after the one before. */
function startsOf(batch: TrainingBatch, optimizer: ResolvedOptimizerConfig, steps: number): Start[] {
  const starts: Start[] = [];
  let from: Start['from'] = { optimizer, step: 0, slots: {}, weights: batch.weights };
  while (from.step < steps) {
    const gradients = batch.gradients(from.weights);
    starts.push({ from, gradients });
    const after = updated(gradients, from);
    const step = from.step + 1;
    checkFloat32(after, step);
    const weights = inFloat32(after.weights);
    checkMoved(from, weights);
    from = { optimizer, step, slots: mapRecord(after.slots, inFloat32), weights };
  }
  return starts;
}

/** A step that leaves all weights as they were would be made by a side that does not train at all. */
function checkMoved(
  { weights: before, step, optimizer: { learningRate } }: Start['from'],
  after: StackWeights,
): void {
  const all = namedWeights(after);
  const old = named(before);
  if (all.some(([name, { data }]) => data.some((x, i) => x !== old[name].data[i]))) return;
  throw new UsageError(
    `Training steps (--train-steps): step ${step + 1} leaves all ${all.reduce((sum, [, { data }]) => sum + data.length, 0)} weights as they were in float32 (learning rate ${learningRate}), so that it would show nothing; give a larger learning rate (--optimizer), or other inputs where the gradients are zero.`,
  );
}

/** Numbers that float32 does not hold are infinite on every side, and show nothing. */
function checkFloat32({ loss = 0, weights, slots }: TrainingAnswer, step: number): void {
  const numbers: readonly [string, ArrayLike<number>][] = [
    ['the loss', [loss]],
    ...Object.entries({ weights, ...slots }).flatMap(([group, all]) =>
      namedWeights(all).map(([name, { data }]): [string, ArrayLike<number>] => [`${group}.${name}`, data]),
    ),
  ];
  for (const [name, data] of numbers) {
    const beyond = Array.from(data).find((x) => !Number.isFinite(Math.fround(x)));
    if (beyond !== undefined)
      throw new UsageError(
        `Training steps (--train-steps): step ${step} makes ${name} ${beyond}, and float32 holds numbers up to 3.4e38; give a smaller learning rate (--optimizer), smaller inputs, or fewer steps.`,
      );
  }
}

const inFloat32 = (weights: StackWeights): StackWeights =>
  mapWeights(weights, ({ data, shape }) => ({ data: data.map(Math.fround), shape }));

/** Other settings of Adam that make every update of a side. */
function causesOf(comparisons: readonly UpdateComparison<string>[]): Cause[] {
  const { optimizer } = comparisons[0];
  if (optimizer.name !== 'adam') return [];
  const { epsilon = 1e-7, form = 'tfjs' } = optimizer;
  const others = [
    ...customaryEpsilons
      .filter((other) => other !== epsilon)
      .map((other) => ({
        ...{ id: 'adam-epsilon', words: `Adam's ${otherEpsilonInWords(other)}` },
        config: { ...optimizer, epsilon: other },
      })),
    {
      id: 'adam-form',
      words:
        form === 'keras'
          ? 'Adam adds epsilon to sqrt(v / (1 - beta2^t)), as TensorFlow.js and PyTorch do, and not to sqrt(v), as Keras does'
          : 'Adam adds epsilon to sqrt(v), as Keras does, and not to sqrt(v / (1 - beta2^t)), as TensorFlow.js and PyTorch do',
      config: { ...optimizer, form: form === 'keras' ? ('tfjs' as const) : ('keras' as const) },
    },
  ];
  return others
    .filter(({ config }) => comparisons.every((comparison) => isUpdateOf(comparison, config)))
    .map(({ id, words }) => ({ id, words, layer: '' }));
}
