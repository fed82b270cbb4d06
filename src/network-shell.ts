import { checkNotFitting, checkSize, resolveCompile, runFitOn, someInputs } from '../scratch/index';
import type {
  CheckedOptimizerState,
  CheckedQuestion,
  CompileOptions,
  Evaluated,
  GivenWeights,
  History,
  LayersNetwork,
  NetworkAnswer,
  NetworkBatchResult,
  NetworkConfig,
  NetworkFitOptions,
  NetworkLossAndGradients,
  NetworkOptimizerState,
  NetworkPlan,
  NetworkPrediction,
  NetworkQuestion,
  NetworkTargets,
  StackInputOptions,
  StackInputs,
  StackWeights,
  Targets,
  Tensor,
  TensorLike,
} from '../scratch/index';
import { lossOf } from './host-losses';

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

/** A batch with its targets, checked. */
export interface CheckedBatch {
  readonly given: StackInputs;
  readonly targets: Targets;
}

/**
 * What the networks of layers of this room have in common: boundary checks, chunks, the life of a model. A network adds how it
 * computes; everything that reaches it has been checked.
 */
export abstract class NetworkShell implements LayersNetwork {
  abstract readonly name: string;
  readonly precision = 'float32';
  readonly config: NetworkConfig;
  protected clipNorm: number | undefined;
  private disposed = false;

  protected constructor(
    protected readonly plan: NetworkPlan,
    clipNorm: number | undefined,
    private readonly runsOn: { use(): void },
  ) {
    this.config = plan.config;
    this.clipNorm = clipNorm;
  }

  /** One update, unless the loss or the gradients' norm is not finite. */
  protected abstract step(batch: CheckedBatch): NetworkBatchResult;
  protected abstract answer(question: CheckedQuestion, name: string): NetworkAnswer;
  protected abstract readWeights(): StackWeights;
  /** All of the weights or, when one does not fit float32, none. */
  protected abstract writeWeights(weights: StackWeights): void;
  protected abstract readState(): NetworkOptimizerState;
  protected abstract writeState(state: CheckedOptimizerState): void;
  /** Frees everything that the network owns. */
  protected abstract release(): void;

  compile(options: CompileOptions): void {
    this.beginChange('compile');
    const { config, clipNorm } = resolveCompile(options);
    this.writeState({ config, step: 0, slots: {} });
    this.clipNorm = clipNorm;
  }

  async fit(inputs: TensorLike, labels: NetworkTargets, options: NetworkFitOptions = {}): Promise<History> {
    this.begin('fit');
    return runFitOn(this, (given, name) => this.plan.checkExamples(given, name), { inputs, labels }, options);
  }

  trainOnBatch(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkBatchResult {
    return this.step(this.beginStep(inputs, targets, options));
  }

  predict(inputs: TensorLike, options: StackInputOptions = {}): NetworkPrediction {
    this.begin('predict');
    return joined(
      inChunks(this.plan.check(inputs, options, 'predict')).map((given) =>
        this.answer(predictionOf(given), 'predict'),
      ),
    );
  }

  evaluate(
    inputs: TensorLike,
    targets: NetworkTargets,
    { batchSize, ...options }: StackInputOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    this.begin('evaluate');
    const batch = this.plan.checkBatch(inputs, targets, options, 'evaluate');
    const parts = inChunks(batch.given, batchSize);
    return this.judge(
      batch,
      parts.map((given) => this.answer(predictionOf(given), 'evaluate')),
    );
  }

  lossAndGradients(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkLossAndGradients {
    const name = 'lossAndGradients';
    this.begin(name);
    const batch = this.plan.checkBatch(inputs, targets, options, name);
    return this.answer({ ...predictionOf(batch.given), ...batch }, name) as NetworkLossAndGradients;
  }

  run(inputs: TensorLike, question: NetworkQuestion = {}): NetworkAnswer {
    this.begin('run');
    return this.answer(this.plan.checkQuestion(inputs, question, 'run'), 'run');
  }

  getWeights(): StackWeights {
    this.begin('getWeights');
    return this.readWeights();
  }

  /** Values are rounded to float32. */
  setWeights(weights: GivenWeights): void {
    this.beginChange('setWeights');
    this.writeWeights(this.plan.checkWeights(weights, 'setWeights'));
  }

  getOptimizerState(): NetworkOptimizerState {
    this.begin('getOptimizerState');
    return this.readState();
  }

  setOptimizerState(state: NetworkOptimizerState): void {
    this.beginChange('setOptimizerState');
    this.writeState(this.plan.checkOptimizerState(state, 'setOptimizerState'));
  }

  /** Frees what the network owns; afterwards every other method throws. A second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }

  /** Makes this network's backend the current one, whatever ran before. */
  protected begin(method: string): void {
    if (this.disposed) {
      throw new Error(
        `${method}: this network was disposed and its weights are gone; call dispose last, or make a new network.`,
      );
    }
    this.runsOn.use();
  }

  protected beginStep(inputs: TensorLike, targets: NetworkTargets, options: StackInputOptions): CheckedBatch {
    this.beginChange('trainOnBatch', false);
    return this.plan.checkBatch(inputs, targets, options, 'trainOnBatch');
  }

  /** Loss and accuracy of a batch from the answers to its parts. */
  protected judge({ given, targets }: CheckedBatch, parts: readonly NetworkAnswer[]): Evaluated {
    const { data, shape } = joinedTensors(parts.map(({ logits }) => logits));
    const mask = this.plan.masksOf(given).at(-1);
    const { loss, accuracy } = lossOf(this.plan.loss, data, shape[shape.length - 1], targets, mask);
    return { loss, accuracy };
  }

  private beginChange(method: string, inCallback = true): void {
    checkNotFitting(this, method, inCallback);
    this.begin(method);
  }
}

/** The question that asks for predictions alone. */
export function predictionOf(given: StackInputs): CheckedQuestion {
  return { given, targets: undefined, upstream: undefined, sequences: false };
}

/** The examples in parts, so that memory stays small. */
export function inChunks(given: StackInputs, batchSize = chunk): StackInputs[] {
  const size = checkSize('evaluate: batchSize', batchSize);
  return Array.from({ length: Math.ceil(given.batch / size) }, (_, i) =>
    someInputs(given, i * size, Math.min((i + 1) * size, given.batch)),
  );
}

/** The predictions for parts of a batch as one. */
export function joined(parts: readonly NetworkPrediction[]): NetworkPrediction {
  if (parts.length === 1) return parts[0];
  return {
    outputs: joinedTensors(parts.map(({ outputs }) => outputs)),
    logits: joinedTensors(parts.map(({ logits }) => logits)),
    finalStates: parts[0].finalStates.map((ofLayer, i) =>
      ofLayer.map((_, k) => joinedTensors(parts.map(({ finalStates }) => finalStates[i][k]))),
    ),
  };
}

/** Tensors below each other. */
function joinedTensors(tensors: readonly Tensor[]): Tensor {
  const data = new Float64Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  const batch = tensors.reduce((sum, { shape }) => sum + shape[0], 0);
  return { data, shape: [batch, ...tensors[0].shape.slice(1)] };
}
