import {
  createRandom,
  resolveOptimizer,
  ScratchNetwork,
  StackPlan,
  type CompileOptions,
  type NetworkConfig,
  type ResolvedOptimizerConfig,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import { isLayerConfig } from '../base/model';
import { UsageError } from '../base/outcome';
import type { LayeredEvaluation, LayeredProblem } from '../base/problem';
import { mapRecord } from '../base/process/index';
import { customaryEpsilons, otherEpsilonInWords } from '../faults/index';
import {
  compareUpdate,
  isFailing,
  isUpdateOf,
  type MadeUpdate,
  type Place,
  type TensorVerdict,
  type UpdateComparison,
} from '../judge/index';
import { namedWeights, networkOf, type ModelDescription, type ModelNetwork } from '../models/index';
import type { Cause } from './causes';
import type { Difference } from './difference';
import { maskAfter, type ModelInputs } from './reference';
import {
  CannotRunError,
  targetsOf,
  type ModelSide,
  type TrainingAnswer,
  type TrainingQuestion,
} from './sides/side';

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
}

/** One step of the reference, and where it starts. */
interface ReferenceStep {
  readonly question: TrainingQuestion;
  readonly scratch: MadeUpdate<string>;
  readonly reference: LayeredEvaluation;
}

/**
 * Training steps of a model that is one chain of layers. Every step starts all sides from the same numbers, those of the reference after the
 * step before, rounded to float32: otherwise a gradient near zero, of which Adam makes a whole step, would drive them apart.
 */
export class Training {
  readonly optimizer: ResolvedOptimizerConfig;
  readonly notes: readonly string[];
  private readonly network: ModelNetwork;
  private readonly questions: readonly TrainingQuestion[];
  private readonly known = new Map<string, readonly ReferenceStep[]>();
  /** Adam's form was asked for, and is not left to each program */ private readonly isFormFixed: boolean;

  /** @throws UsageError that says what of the model cannot be trained, RangeError on a setting that makes no sense */
  constructor(
    private readonly model: ModelDescription,
    inputs: ModelInputs,
    { steps, optimizer = 'adam', seed }: TrainingOptions,
  ) {
    this.network = networkOf(model, 'Training steps (--train-steps)');
    const turned = model.layers.find(
      ({ config }) => 'goBackwards' in config && config.goBackwards && config.returnSequences === true,
    );
    if (turned !== undefined)
      throw new UsageError(
        `Training steps (--train-steps): layer ${turned.name} (${turned.kind}) goes backwards and returns sequences, in an order that the error budget of a whole network does not have; check it without training steps.`,
      );
    this.optimizer = resolveOptimizer({ optimizer });
    this.isFormFixed = typeof optimizer !== 'string' && 'form' in optimizer;
    this.questions = questionsOf(this.network, inputs[model.inputs[0].name], this.optimizer, { steps, seed });
    this.notes =
      this.optimizer.name === 'adam' && !this.isFormFixed
        ? [
            "Keras's Adam adds epsilon to sqrt(v), those of TensorFlow.js and PyTorch to sqrt(v / (1 - beta2^t)): each is judged by its own form",
          ]
        : [];
  }

  /**
   * @throws CannotRunError when the side cannot train this network
   */
  async judge({ name, train }: Pick<ModelSide, 'name' | 'train'>): Promise<JudgedTraining> {
    if (train === undefined) throw new CannotRunError('it does not train');
    const comparisons: UpdateComparison<string>[] = [];
    for (const step of this.stepsFor(name))
      comparisons.push(this.comparisonOf(name, step, await train(step.question)));
    const judged = comparisons.map((comparison) => compareUpdate(comparison));
    const verdicts = judged.flatMap(({ tensors }) => tensors);
    const odd = verdicts.find(({ status }) => ['missing', 'extra', 'shape'].includes(status));
    if (odd !== undefined) throw new CannotRunError(`${odd.tensor} ${odd.reason ?? ''}`);
    const at = judged.findIndex(({ status }) => status === 'fail');
    if (at < 0) return { verdicts, differences: [] };
    const [first] = judged[at].tensors
      .filter(isFailing)
      .toSorted((a, b) => order.indexOf(groupOf(a)) - order.indexOf(groupOf(b)));
    return { verdicts, differences: [this.differenceOf(first, at + 1, causesOf(comparisons))] };
  }

  /** The reference's steps, in the form of Adam that the side has. */
  private stepsFor(side: string): readonly ReferenceStep[] {
    const { optimizer } = this;
    const own: ResolvedOptimizerConfig =
      optimizer.name === 'adam' && !this.isFormFixed
        ? { ...optimizer, form: side === 'keras' ? 'keras' : 'tfjs' }
        : optimizer;
    const key = own.name === 'adam' ? own.form : '';
    const found = this.known.get(key) ?? this.questions.map((one) => this.stepOf({ ...one, optimizer: own }));
    this.known.set(key, found);
    return found;
  }

  private stepOf(question: TrainingQuestion): ReferenceStep {
    const { inputs, mask } = question.problem;
    const byHand = scratchOf(question);
    const { loss, gradients } = byHand.lossAndGradients(inputs, targetsOf(question), {
      ...(mask && { mask }),
    });
    return {
      question,
      scratch: made(update(question)),
      reference: {
        loss: { data: Float64Array.of(loss), shape: [] },
        gradients: { weights: gradients.weights },
      },
    };
  }

  private comparisonOf(
    side: string,
    { question, scratch, reference }: ReferenceStep,
    answer: TrainingAnswer,
  ): UpdateComparison<string> {
    const { problem, optimizer, step, slots } = question;
    const gradientOf = (weight: string): string => `gradients.weights.${weight}`;
    const weights = named(problem.weights);
    return {
      ...{ caseId: problem.id, optimizer, problem, reference, scratch, gradientOf },
      start: { weights, state: { step, slots: mapRecord(slots, named) } },
      given: made(answer),
      // the twin runs the kernels of TensorFlow.js
      side: { name: side.replace(/^twin:/, 'tfjs:'), precision: 'float32' },
    };
  }

  private differenceOf({ tensor, worst }: TensorVerdict, step: number, causes: readonly Cause[]): Difference {
    const [group, at = '', weight = ''] = tensor.split('.');
    const layers = this.model.layers.filter(({ config }) => isLayerConfig(config));
    const layer = group === 'loss' ? layers[layers.length - 1] : layers[Number(at.slice('layer'.length)) - 1];
    const what = group === 'weights' ? weight : `${group} of ${weight}`;
    const { feature, fromUnit, integer, bias, gate, unit, output } = (worst?.at ?? {}) as Partial<Place>;
    const row = feature ?? fromUnit ?? integer ?? bias;
    const column = unit ?? output;
    return {
      layerNumber: this.model.layers.indexOf(layer) + 1,
      layer: layer.name,
      kind: layer.kind,
      tensor: group === 'loss' ? `loss of training step ${step}` : `${what} after training step ${step}`,
      ...(row !== undefined && { row: Number(row) }),
      ...(column !== undefined && { unit: Number(column) }),
      ...(gate !== undefined && { gate: String(gate) }),
      given: worst?.given ?? NaN,
      expected: worst?.reference ?? NaN,
      used: worst?.usedShare ?? Infinity,
      causes,
    };
  }
}

/** What is made first comes first: weights follow from the memory. */
const order = ['loss', 'velocity', 'm', 'v', 'weights'];
const groupOf = ({ tensor }: TensorVerdict): string => tensor.split('.')[0];

const named = (weights: StackWeights): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(namedWeights(weights));

const made = ({ loss, weights, slots }: TrainingAnswer): MadeUpdate<string> => ({
  loss,
  weights: named(weights),
  state: { slots: mapRecord(slots, named) },
});

/** The network by hand, at the start of a step. */
function scratchOf({ problem, optimizer, step, slots }: TrainingQuestion): ScratchNetwork {
  const network = new ScratchNetwork({
    ...(problem.model as NetworkConfig),
    weights: problem.weights,
    optimizer,
  });
  network.setOptimizerState({ config: optimizer, step, slots });
  return network;
}

function update(question: TrainingQuestion): TrainingAnswer {
  const { inputs, mask } = question.problem;
  const network = scratchOf(question);
  const { loss } = network.trainOnBatch(inputs, targetsOf(question), { ...(mask && { mask }) });
  return { loss, weights: network.getWeights(), slots: network.getOptimizerState().slots };
}

/** Every step from the numbers after the one before. */
function questionsOf(
  { config, weights, maskValue }: ModelNetwork,
  inputs: Tensor,
  optimizer: ResolvedOptimizerConfig,
  { steps, seed }: Required<Pick<TrainingOptions, 'steps' | 'seed'>>,
): TrainingQuestion[] {
  const mask =
    maskValue === undefined
      ? undefined
      : maskAfter(
          { config: { layer: 'masking', maskValue }, weights: {} },
          { output: inputs, states: [], mask: undefined },
        );
  const goal = goalOf(config, inputs, seed);
  const problem = { id: 'training', model: config, inputs, ...(mask && { mask }), ...goal };
  const questions: TrainingQuestion[] = [];
  let from: Pick<TrainingQuestion, 'slots'> & { readonly weights: StackWeights } = { weights, slots: {} };
  for (let step = 0; step < steps; step++) {
    const question = {
      ...{ optimizer, step, slots: from.slots },
      ...(maskValue !== undefined && { maskValue }),
      problem: { ...problem, id: `training step ${step + 1}`, weights: from.weights },
    };
    questions.push(question);
    const after = update(question);
    checkFloat32(after, step + 1);
    from = { weights: inFloat32(after.weights), slots: mapRecord(after.slots, inFloat32) };
  }
  return questions;
}

/** Numbers that float32 does not hold are infinite on every side, and show nothing. */
function checkFloat32({ loss, weights, slots }: TrainingAnswer, step: number): void {
  const made: readonly [string, ArrayLike<number>][] = [
    ['the loss', [loss]],
    ...Object.entries({ weights, ...slots }).flatMap(([group, all]) =>
      namedWeights(all).map(([name, { data }]): [string, ArrayLike<number>] => [`${group}.${name}`, data]),
    ),
  ];
  for (const [name, data] of made) {
    const beyond = Array.from(data).find((x) => !Number.isFinite(Math.fround(x)));
    if (beyond !== undefined)
      throw new UsageError(
        `Training steps (--train-steps): step ${step} makes ${name} ${beyond}, and float32 holds numbers up to 3.4e38; give a smaller learning rate (--optimizer), smaller inputs, or fewer steps.`,
      );
  }
}

const inFloat32 = (weights: StackWeights): StackWeights =>
  weights.map((layer) => mapRecord(layer, ({ data, shape }) => ({ data: data.map(Math.fround), shape })));

/** Labels or targets of the loss that the end of the model asks for. */
function goalOf(
  config: NetworkConfig,
  inputs: Tensor,
  seed: number,
): Pick<LayeredProblem, 'labels' | 'targets'> {
  const random = createRandom(seed);
  const [batch, timeSteps] = inputs.shape;
  const shape = new StackPlan(config).outputShape({ batch, timeSteps });
  const width = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  if (config.loss === 'softmaxCrossEntropy')
    return { labels: Array.from({ length: rows }, () => random.integer(width)) };
  const one = (): number =>
    config.loss === 'sigmoidCrossEntropy' ? random.integer(2) : Math.fround(2 * random.uniform() - 1);
  return { targets: { data: Float64Array.from({ length: rows * width }, one), shape } };
}

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
