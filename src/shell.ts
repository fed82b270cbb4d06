import { checkNotFitting, resolveCompile } from '../scratch/index';
import type {
  BatchResult,
  CheckedOptimizerState,
  CompileOptions,
  Evaluated,
  NetworkAnswer,
  NetworkLossAndGradients,
  NetworkPlan,
  NetworkPrediction,
  OptimizerConfig,
  StackInputs,
  StackWeights,
  TensorLike,
} from '../scratch/index';
import { lossOf } from './host-losses';
import {
  inChunks,
  joined,
  joinedTensors,
  predictionOf,
  type CheckedBatch,
  type NetworkEngine,
} from './network-engine';

/** The types of a network's public methods. */
export interface PublicTypes {
  /** companions of the inputs */ readonly options: object;
  readonly targets: unknown;
  readonly weights: unknown;
  /** as a user gives them */ readonly givenWeights: unknown;
  /** of a training step */ readonly result: BatchResult;
}

/** An optimizer's state, its slots in the form of the weights. */
export interface StateIn<W> {
  readonly config: OptimizerConfig;
  readonly step: number;
  readonly slots: Readonly<Record<string, W>>;
}

type More = Readonly<Record<string, true>>;

/**
 * What the networks of this room have in common: boundary checks, chunks, the life of a model. A class of it decides the names and
 * types that users see; its engine computes, and sees only what has been checked.
 */
export abstract class Shell<S extends PublicTypes> {
  abstract readonly name: string;
  readonly precision = 'float32';
  private disposed = false;

  protected constructor(
    private readonly kind: 'network' | 'classifier',
    protected readonly plan: NetworkPlan,
    protected readonly engine: NetworkEngine,
    protected clipNorm: number | undefined,
    private readonly runsOn: { use(): void },
  ) {}

  /** @param more options that the method has besides those of the inputs */
  protected abstract check(inputs: TensorLike, options: S['options'], name: string, more?: More): StackInputs;
  protected abstract checkBatch(
    inputs: TensorLike,
    targets: S['targets'],
    options: S['options'],
    name: string,
    more?: More,
  ): CheckedBatch;
  protected abstract checkWeights(weights: S['givenWeights'], name: string): StackWeights;
  protected abstract fromLayers(weights: StackWeights): S['weights'];

  compile(options: CompileOptions): void {
    this.beginChange('compile');
    const { config, clipNorm } = resolveCompile(options);
    this.engine.writeState({ config, step: 0, slots: {} });
    this.clipNorm = clipNorm;
  }

  /** The result tells when loss or norm is not finite; weights and optimizer are then as they were. */
  trainOnBatch(inputs: TensorLike, targets: S['targets'], options: S['options'] = {}): S['result'] {
    return this.engine.step(this.beginStep(inputs, targets, options), this.clipNorm);
  }

  evaluate(
    inputs: TensorLike,
    targets: S['targets'],
    options: S['options'] & { readonly batchSize?: number } = {},
  ): Evaluated {
    this.begin('evaluate');
    const batch = this.checkBatch(inputs, targets, options, 'evaluate', { batchSize: true });
    const parts = inChunks(batch.given, options.batchSize);
    return this.judge(
      batch,
      parts.map((given) => this.engine.answer(predictionOf(given), 'evaluate')),
    );
  }

  getWeights(): S['weights'] {
    this.begin('getWeights');
    return this.fromLayers(this.engine.readWeights());
  }

  /** Values are rounded to float32. */
  setWeights(weights: S['givenWeights']): void {
    this.beginChange('setWeights');
    this.engine.writeWeights(this.checkWeights(weights, 'setWeights'));
  }

  getOptimizerState(): StateIn<S['weights']> {
    this.begin('getOptimizerState');
    const { slots, ...state } = this.engine.readState();
    const memory = Object.entries(slots).map(([slot, weights]) => [slot, this.fromLayers(weights)] as const);
    return { ...state, slots: Object.fromEntries(memory) };
  }

  setOptimizerState(state: StateIn<S['weights']>): void {
    const name = 'setOptimizerState';
    this.beginChange(name);
    const checked: CheckedOptimizerState = this.plan.checkOptimizerState(state, name, (memory, slot) =>
      this.checkWeights(memory, slot),
    );
    this.engine.writeState(checked);
  }

  /** Frees what the model owns; afterwards every other method throws. A second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.engine.dispose();
  }

  /** Makes this model's backend the current one, whatever ran before. */
  protected begin(method: string): void {
    if (this.disposed) {
      throw new Error(
        `${method}: this ${this.kind} was disposed and its weights are gone; call dispose last, or make a new ${this.kind}.`,
      );
    }
    this.runsOn.use();
  }

  protected beginStep(inputs: TensorLike, targets: S['targets'], options: S['options']): CheckedBatch {
    this.beginChange('trainOnBatch', false);
    return this.checkBatch(inputs, targets, options, 'trainOnBatch');
  }

  protected predictions(inputs: TensorLike, options: S['options'], name: string): NetworkPrediction {
    this.begin(name);
    const parts = inChunks(this.check(inputs, options, name));
    return joined(parts.map((given) => this.engine.answer(predictionOf(given), name)));
  }

  protected differentiate(
    inputs: TensorLike,
    targets: S['targets'],
    options: S['options'],
  ): NetworkLossAndGradients {
    const name = 'lossAndGradients';
    this.begin(name);
    const batch = this.checkBatch(inputs, targets, options, name);
    return this.engine.answer({ ...predictionOf(batch.given), ...batch }, name) as NetworkLossAndGradients;
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
