import type {
  BatchResult,
  CompileOptions,
  Evaluated,
  LayersNetwork,
  NetworkOptimizerState,
  StackInputOptions,
  TensorLike,
  TrainableNetwork,
} from '../../scratch/index';

/** What one side of a run has seen of the running epoch. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  readonly gradientNorm: number;
  readonly examples: number;
}

export const noSums: EpochSums = { loss: 0, correct: 0, gradientNorm: 0, examples: 0 };

/** What happens around every step of a run. */
export interface StepObserver {
  /** before any side has taken the step */ before?(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: StackInputOptions,
  ): void;
  /** after every side has taken it */ after?(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: StackInputOptions,
  ): void;
}

/**
 * One or several networks behind the face of one, so that the one training loop gives all of them the very same batches in the
 * same order. What it returns is the first one's; the numbers of the others are kept in `sums`.
 */
export class Lockstep implements TrainableNetwork {
  /** per side, since `startEpoch` */ sums: EpochSums[];
  /** per side, of the last evaluation */ evaluated: Evaluated[] = [];
  /** the side whose step was not finite, if any */ failed: string | undefined;
  private observers: readonly StepObserver[] = [];

  constructor(readonly sides: readonly LayersNetwork[]) {
    this.sums = sides.map(() => noSums);
  }

  observe(observers: readonly StepObserver[]): void {
    this.observers = observers;
  }

  compile(options: CompileOptions): void {
    for (const side of this.sides) side.compile(options);
  }

  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options: StackInputOptions = {}): BatchResult {
    for (const observer of this.observers) observer.before?.(inputs, labels, options);
    const results = this.sides.map((side) => side.trainOnBatch(inputs, labels, options));
    const broken = results.findIndex(
      ({ loss, gradientNorm }) => !Number.isFinite(loss) || !Number.isFinite(gradientNorm),
    );
    if (broken >= 0) {
      this.failed = this.sides[broken].name;
      return results[broken];
    }
    const n = labels.length;
    this.sums = this.sums.map((sum, i) => ({
      loss: sum.loss + results[i].loss * n,
      correct: sum.correct + Math.round(results[i].accuracy * n),
      gradientNorm: sum.gradientNorm + results[i].gradientNorm * n,
      examples: sum.examples + n,
    }));
    for (const observer of this.observers) observer.after?.(inputs, labels, options);
    return results[0];
  }

  evaluate(inputs: TensorLike, labels: ArrayLike<number>, options: StackInputOptions = {}): Evaluated {
    this.evaluated = this.sides.map((side) => side.evaluate(inputs, labels, options));
    return this.evaluated[0];
  }

  getOptimizerState(): NetworkOptimizerState {
    return this.sides[0].getOptimizerState();
  }

  setOptimizerState(state: NetworkOptimizerState): void {
    for (const side of this.sides) side.setOptimizerState(state);
  }

  dispose(): void {
    for (const side of this.sides) side.dispose();
  }
}
