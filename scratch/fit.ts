import { compileOptions } from './classifier-weights';
import type {
  BatchResult,
  CompileOptions,
  EpochLog,
  Evaluated,
  FitOptions,
  FitPosition,
  History,
  LabelledSequences,
  OptimizerState,
  SequenceOptions,
} from './classifier-interface';
import { gatherer, labelsOf, maskOf, type Examples, type GivenExamples } from './fit-examples';
import { FitLock } from './fit-lock';
import { checkLabels } from './labels';
import { checkMask } from './mask';
import { resolveOptimizer } from './optimizer';
import type { OptimizerConfig } from './optimizer-config';
import { checkOptions, describe, shown, type OptionNames } from './options';
import { createRandom, restoreRandom, type Random } from './random';
import { borrowTensor, checkSize, type TensorLike } from './tensor';

const labelledOptions: OptionNames<LabelledSequences> = { inputs: true, labels: true, mask: true };
const fitOptions: OptionNames<FitOptions> = {
  epochs: true,
  batchSize: true,
  seed: true,
  mask: true,
  validationData: true,
  onBatchEnd: true,
  onEpochEnd: true,
  verbose: true,
  position: true,
  ...compileOptions,
};

/** What the loop needs of a network; a step may take its time. */
export interface Trainable {
  readonly features: number;
  readonly classes: number;
  compile(options: CompileOptions): void;
  /** The batch's arrays are reused for the next batch: read them during the step only. */
  trainOnBatch(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options?: SequenceOptions,
  ): BatchResult | Promise<BatchResult>;
  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options?: SequenceOptions & { readonly batchSize?: number },
  ): Evaluated | Promise<Evaluated>;
  getOptimizerState(): OptimizerState;
  setOptimizerState(state: OptimizerState): void;
}

/** As `Trainable`, for networks whose examples are of other kinds; `labels` is what the check of its examples gave. */
export interface TrainableNetwork {
  compile(options: CompileOptions): void;
  trainOnBatch(
    inputs: TensorLike,
    labels: ArrayLike<number> | TensorLike,
    options?: Pick<SequenceOptions, 'mask'>,
  ): BatchResult | Promise<BatchResult>;
  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number> | TensorLike,
    options?: Pick<SequenceOptions, 'mask'>,
  ): Evaluated | Promise<Evaluated>;
  /** instead of trainOnBatch, where there is one */ trainOnBatchAsync?: TrainableNetwork['trainOnBatch'];
  evaluateAsync?: TrainableNetwork['evaluate'];
  getOptimizerState(): { readonly config: OptimizerConfig };
  setOptimizerState(state: { readonly config: OptimizerConfig }): void;
}

/** FitOptions for networks whose examples are of other kinds. */
export interface NetworkFitOptions extends Omit<FitOptions, 'validationData'> {
  readonly validationData?: GivenExamples;
}

/** The loss or the gradients stopped being finite numbers. */
export class TrainingDivergedError extends Error {
  override readonly name = 'TrainingDivergedError';

  constructor(
    readonly epoch: number,
    readonly batch: number,
    readonly result: BatchResult,
    readonly learningRate: number,
  ) {
    super(
      `fit: in epoch ${epoch + 1}, batch ${batch + 1}, the loss was ${result.loss} and the gradients' norm ${result.gradientNorm} at learning rate ${learningRate}; both must be finite, so lower learningRate or set clipNorm.`,
    );
  }
}

/**
 * The one training loop: every network's `fit` calls it with itself, and differs only in `trainOnBatch`.
 *
 * Each epoch shuffles the examples (the seed decides how), goes through them in batches, and logs the mean loss over all
 * examples, each measured just before its update; the last batch is smaller when they do not divide. It awaits the
 * callbacks, and lets timers and signals in about every 50 ms.
 *
 * Optimizer settings in `options` compile the model anew. With `position` training continues there: the order of the
 * examples and all sums are then those of a run that was never stopped, and so is the result when the weights and the
 * optimizer's state are put back first; settings that contradict that state are refused.
 *
 * Until it ends nothing else trains the model: a second `fit` is refused, and so are other changes, except in callbacks.
 *
 * @param inputs [N, T, F]
 * @param labels N class indices
 * @param options defaults, the notebook's: 100 epochs, batches of 32; seed 0
 * @throws RangeError on anything that does not fit, Error when another fit of the model runs, TrainingDivergedError when a
 * loss or gradient is not finite
 */
export async function runFit(
  model: Trainable,
  inputs: TensorLike,
  labels: ArrayLike<number>,
  options: FitOptions = {},
): Promise<History> {
  const check: CheckExamples = (given, name) =>
    checkSequenceExamples(model, given as LabelledSequences, name);
  return runFitOn(model, check, { inputs, labels }, options);
}

/** The boundary check of a network's examples; `name` is how messages call them. */
export type CheckExamples = (given: GivenExamples, name: string) => Examples;

/**
 * The same loop for examples of any kind. Where a network gives an answer for every time step, its loss and accuracy of a
 * batch count by the batch's examples.
 */
export async function runFitOn(
  model: TrainableNetwork,
  check: CheckExamples,
  examples: Omit<GivenExamples, 'mask'>,
  options: NetworkFitOptions,
): Promise<History> {
  const lock = new FitLock(model);
  try {
    return await train(model, check, examples, options, lock);
  } finally {
    lock.release();
  }
}

async function train(
  model: TrainableNetwork,
  check: CheckExamples,
  given: Omit<GivenExamples, 'mask'>,
  options: NetworkFitOptions,
  lock: FitLock,
): Promise<History> {
  checkOptions(options, fitOptions, 'fit');
  const data = checkExamples(
    check,
    { ...given, ...(options.mask !== undefined && { mask: options.mask }) },
    'fit',
  );
  const count = data.inputs.shape[0];
  const settings = checkFitOptions(options, count);
  const validation =
    options.validationData === undefined
      ? undefined
      : checkExamples(check, options.validationData, 'fit: validationData');
  lock.step(() => compileFor(model, options));

  const { epochs, batchSize, batches, position } = settings;
  const say = options.verbose === true ? printLine : options.verbose || undefined;
  const gather = gatherer(data, Math.min(batchSize, count));
  const breathe = breather();
  const step: TrainableNetwork['trainOnBatch'] = (...batch) =>
    model.trainOnBatchAsync ? model.trainOnBatchAsync(...batch) : model.trainOnBatch(...batch);
  const evaluate: TrainableNetwork['evaluate'] = (...batch) =>
    model.evaluateAsync ? model.evaluateAsync(...batch) : model.evaluate(...batch);
  const logs: EpochLog[] = [];

  for (let epoch = position.epoch, start = position; epoch < epochs; epoch++) {
    const random: Random = restoreRandom(start.randomState);
    const order = random.permutation(count);
    let { partial } = start;

    for (let batch = start.batch; batch < batches; batch++) {
      const some = gather(order.subarray(batch * batchSize, (batch + 1) * batchSize));
      const result = await lock.step(() => step(some.inputs, some.labels, some.options));
      if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) {
        const { config } = model.getOptimizerState();
        const { learningRate } = resolveOptimizer({ optimizer: config });
        throw new TrainingDivergedError(epoch, batch, result, learningRate);
      }
      const examples = some.inputs.shape[0];
      const correct = result.accuracy * examples;
      partial = {
        examples: partial.examples + examples,
        loss: partial.loss + result.loss * examples,
        // with one label an example it is a whole number
        correct: partial.correct + (data.labels.shape.length === 1 ? Math.round(correct) : correct),
      };
      const here: FitPosition = { epoch, batch: batch + 1, randomState: start.randomState, partial };
      const log = { ...result, epoch, batch, batches, batchSize: examples, position: here };
      if ((await lock.callback(() => options.onBatchEnd?.(log))) === false)
        return { epochs: logs, completed: false };
      await breathe();
    }

    const validated =
      validation && (await evaluate(validation.inputs, labelsOf(validation.labels), maskOf(validation)));
    start = { epoch: epoch + 1, batch: 0, randomState: random.state(), partial: nothingYet };
    const log: EpochLog = {
      epoch,
      loss: partial.loss / partial.examples,
      accuracy: partial.correct / partial.examples,
      ...(validated && { validationLoss: validated.loss, validationAccuracy: validated.accuracy }),
      position: start,
    };
    logs.push(log);
    if (say && (epoch + 1) % 10 === 0) say(describeEpoch(log, epochs));
    if ((await lock.callback(() => options.onEpochEnd?.(log))) === false)
      return { epochs: logs, completed: epoch + 1 === epochs };
  }
  return { epochs: logs, completed: true };
}

const nothingYet: FitPosition['partial'] = { examples: 0, loss: 0, correct: 0 };

/** Settings of the loop with their defaults. */
export interface FitSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** per epoch */ readonly batches: number;
  readonly position: FitPosition;
}

/**
 * The boundary check of `fit`: defaults filled in, everything in range, the position one of these data.
 *
 * @throws RangeError, TypeError when a callback is no function
 */
export function checkFitOptions(options: NetworkFitOptions, examples: number): FitSettings {
  const { epochs = 100, batchSize = 32, seed = 0 } = options;
  for (const name of ['onBatchEnd', 'onEpochEnd'] as const) checkCallback(name, options[name]);
  if (typeof options.verbose !== 'boolean') checkCallback('verbose', options.verbose);
  checkSize('fit: epochs', epochs);
  checkSize('fit: batchSize', batchSize);
  const batches = Math.ceil(examples / batchSize);
  const begin = { epoch: 0, batch: 0, randomState: createRandom(seed).state(), partial: nothingYet };
  const position = options.position === undefined ? begin : checkPosition(options.position);
  const { epoch, batch, partial } = position;
  const isIn = (value: number, most: number): boolean =>
    Number.isInteger(value) && value >= 0 && value <= most;
  if (
    !isIn(epoch, epochs) ||
    !isIn(batch, batches) ||
    partial.examples !== Math.min(batch * batchSize, examples)
  ) {
    throw new RangeError(
      `fit: position is epoch ${shown(epoch)}, batch ${shown(batch)} with ${shown(partial.examples)} examples seen; there are ${epochs} epochs of ${batches} batches of ${batchSize}, so resume with the data, batchSize and epochs that it was made with.`,
    );
  }
  return { epochs, batchSize, batches, position };
}

const positionOptions: OptionNames<FitPosition> = {
  epoch: true,
  batch: true,
  randomState: true,
  partial: true,
};
const partialOptions: OptionNames<FitPosition['partial']> = { examples: true, loss: true, correct: true };

/** @throws RangeError, TypeError when it is no position that a log had */
function checkPosition(position: FitPosition): FitPosition {
  checkOptions(position, positionOptions, 'fit: position', 'field');
  checkOptions(position.partial, partialOptions, 'fit: position: partial', 'field');
  const { loss, correct } = position.partial;
  if (!Number.isFinite(loss) || !Number.isFinite(correct)) {
    throw new RangeError(
      `fit: position: partial has the loss ${shown(loss)} and ${shown(correct)} right answers; both must be finite numbers, so pass the position of a log as it was.`,
    );
  }
  restoreRandom(position.randomState);
  return position;
}

function checkCallback(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`fit: ${name} is ${describe(value)}; pass a function, or leave it out.`);
}

function checkExamples(check: CheckExamples, given: GivenExamples, name: string): Examples {
  checkOptions(given, labelledOptions, name, 'field');
  const examples = check(given, name);
  return {
    ...examples,
    inputs: owned(examples.inputs, given.inputs),
    labels: owned(examples.labels, given.labels),
  };
}

/** A copy where the check only borrowed the caller's array, which may change while the loop awaits. */
function owned<T extends Examples['labels']['data']>(
  { data, shape }: { readonly data: T; readonly shape: readonly number[] },
  given: GivenExamples['labels'],
) {
  const isBorrowed = 'data' in given && given.data === data;
  return { data: isBorrowed ? (data.slice() as T) : data, shape };
}

function checkSequenceExamples(model: Trainable, given: LabelledSequences, name: string): Examples {
  const { inputs, labels, mask } = given;
  const x = borrowTensor(inputs, `${name}: inputs`, ['N', 'T', model.features]);
  const [examples, timeSteps] = x.shape;
  return {
    inputs: x,
    labels: { data: checkLabels(labels, `${name}: labels`, examples, model.classes), shape: [examples] },
    mask: checkMask(mask, `${name}: mask`, examples, timeSteps),
  };
}

function compileFor(model: TrainableNetwork, options: NetworkFitOptions): void {
  const { optimizer, learningRate, clipNorm, position } = options;
  if (optimizer === undefined && learningRate === undefined && clipNorm === undefined) return;
  const state = model.getOptimizerState();
  const asked: CompileOptions = {
    optimizer: optimizer === undefined ? state.config : optimizer,
    ...(learningRate !== undefined && { learningRate }),
    ...(clipNorm !== undefined && { clipNorm }),
  };
  if (position !== undefined) {
    const wanted = JSON.stringify(resolveOptimizer(asked));
    const before = JSON.stringify(resolveOptimizer({ optimizer: state.config }));
    if (wanted !== before) {
      throw new RangeError(
        `fit: the options ask for the optimizer ${wanted}, but ${before} made the state to continue from; resume with the same settings, or start without position.`,
      );
    }
  }
  model.compile(asked);
  if (position !== undefined) model.setOptimizerState(state);
}

/** Lets the event loop turn when the last time is 50 ms ago. */
function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** `Epoch 10/50, Loss: 1.0986`, the notebook's line. */
function describeEpoch({ epoch, loss, validationLoss }: EpochLog, epochs: number): string {
  const validation = validationLoss === undefined ? '' : `, Validation loss: ${validationLoss.toFixed(4)}`;
  return `Epoch ${epoch + 1}/${epochs}, Loss: ${loss.toFixed(4)}${validation}`;
}

function printLine(line: string): void {
  console.log(line);
}
