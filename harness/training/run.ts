import {
  NetworkPlan,
  runFitOn,
  ScratchNetwork,
  TrainingDivergedError,
  type BatchLog,
  type EpochLog,
  type FitPosition,
  type LayersNetwork,
  type NetworkConfig,
  type StackWeights,
} from '../../scratch/index';
import { BackendNotRunError } from '../base/outcome';
import { openNetwork, type LoadedNetwork } from '../sides/engine/index';
import { describeParting, describeStep, judgeAgreement, type Watch } from './agreement';
import type { Checkpoint } from './checkpoint';
import { describeDivergence, ExplosionWatch, findOverflow, type Divergence } from './diverged';
import type { EpochRecord, Progress, SideEpoch } from './history';
import { Lockstep, noSums } from './lockstep';
import { initialWeights, inputsOf, networkFor } from './network';
import { NoiseTwin, StepCheck, type StepComparison } from './noise';
import type { PreparedData } from './prepare';
import { sidesOf, type TrainSettings } from './settings';

/** Where a run is kept. */
export interface RunKeeper {
  /** asked after every batch and epoch: true when `save` shall be called now */
  wantsSave(reason: 'batch' | 'epoch' | 'stop'): boolean;
  save(state: RunState): Promise<void>;
}

/** Everything that a checkpoint keeps. */
export interface RunState {
  readonly progress: Progress;
  /** the sides, then the noise twin if there is one */ readonly networks: readonly LayersNetwork[];
  readonly best: readonly StackWeights[] | undefined;
}

export interface RunOptions {
  /** awaited, as `onEpoch` */ readonly onBatch?:
    ((log: BatchLog, learningRate: number) => unknown) | undefined;
  readonly onEpoch?: ((record: EpochRecord) => unknown) | undefined;
  readonly keeper?: RunKeeper | undefined;
  /** instead of initial weights */ readonly start?: StackWeights | undefined;
  readonly resume?: Checkpoint | undefined;
  /** when aborted, the run stops after the batch that is running */ readonly signal?:
    AbortSignal | undefined;
  /** replaces a side before training starts, for tests of what the run notices */
  readonly replaceSide?: ((side: LayersNetwork) => LayersNetwork) | undefined;
}

export interface RunResult {
  readonly outcome: 'finished' | 'interrupted' | 'parted' | 'diverged';
  /** why, unless finished or interrupted */ readonly reason?: string;
  readonly sides: readonly LayersNetwork[];
  readonly engines: Readonly<Record<string, string>>;
  readonly config: NetworkConfig;
  readonly initialWeights: StackWeights;
  readonly history: readonly EpochRecord[];
  readonly best: Progress['best'];
  dispose(): void;
}

/** The learning rate of an epoch counted from 0. */
export function learningRateAt(
  settings: Pick<TrainSettings, 'learningRate' | 'decay' | 'epochs'>,
  epoch: number,
): number {
  const { learningRate, decay, epochs } = settings;
  return decay === 'linear' ? learningRate * (1 - epoch / epochs) : learningRate;
}

/** Trains one or two networks on prepared data, from the start or from a checkpoint. */
export async function runTraining(
  settings: TrainSettings,
  data: PreparedData,
  options: RunOptions = {},
): Promise<RunResult> {
  const config = networkFor(settings, data.identity);
  const weights = options.start ?? initialWeights(config, settings);
  const loaded: LoadedNetwork[] = [];
  const choice = { backend: settings.backend, gradients: settings.gradients };
  for (const kind of sidesOf(settings))
    loaded.push(
      await openNetwork({ kind, ...choice }, config, weights).catch((error: unknown) => {
        if (!(error instanceof BackendNotRunError)) throw error;
        throw new BackendNotRunError(
          `${error.message}. Train without it: --model auto, or --model tfjs --backend wasm.`,
          { cause: error },
        );
      }),
    );
  const sides = loaded.map(({ network }) => options.replaceSide?.(network) ?? network);
  const twin = loaded.length > 1 ? loaded[1].clone(weights) : undefined;
  const run = new Run(settings, data, config, sides, twin, options);
  try {
    await run.start(weights);
    const end = await run.go();
    return {
      ...end,
      sides,
      engines: Object.fromEntries(loaded.map(({ network, engine }) => [network.name, engine])),
      config,
      initialWeights: weights,
      history: run.history,
      best: run.best,
      dispose: () => run.dispose(),
    };
  } catch (error) {
    run.dispose();
    throw error;
  }
}

class Run {
  history: EpochRecord[] = [];
  best: Progress['best'];
  private bestWeights: StackWeights[] | undefined;
  private readonly lockstep: Lockstep;
  private readonly watch: Watch | undefined;
  private readonly explosion: ExplosionWatch;
  private position: FitPosition | undefined;
  private end: Pick<RunResult, 'outcome' | 'reason'> | undefined;
  private epochStart = performance.now();
  private comparisons: StepComparison[] = [];

  constructor(
    private readonly settings: TrainSettings,
    private readonly data: PreparedData,
    private readonly config: NetworkConfig,
    private readonly sides: readonly LayersNetwork[],
    twin: LayersNetwork | undefined,
    private readonly options: RunOptions,
  ) {
    this.lockstep = new Lockstep(sides);
    this.explosion = new ExplosionWatch(data.identity.classNames.length);
    if (twin === undefined) return;
    const batches = Math.ceil(data.train.labels.length / settings.batchSize);
    const shadow = new ScratchNetwork(config);
    shadow.compile(this.compileOptions(0));
    twin.compile(this.compileOptions(0));
    this.watch = {
      noise: new NoiseTwin(sides[1], twin, settings.seed),
      steps: new StepCheck(sides[0], sides[1], shadow, Math.max(1, Math.ceil(batches / 4)), settings.seed),
    };
    this.lockstep.observe([this.watch.steps, this.watch.noise]);
  }

  dispose(): void {
    this.lockstep.dispose();
    this.watch?.noise.twin.dispose();
  }

  /** Sets every network to the start, or to the checkpoint. */
  async start(weights: StackWeights): Promise<void> {
    this.lockstep.compile(this.compileOptions(0));
    for (const side of this.sides) side.setWeights(weights);
    // A copy in everything but the moves: also of settings that are not what they should be.
    this.watch?.noise.twin.setOptimizerState(this.sides[1].getOptimizerState());
    const { resume } = this.options;
    if (resume === undefined) return;
    const { progress } = resume.meta;
    this.networks().forEach((network, i) => {
      network.setWeights(resume.members[i].weights);
      network.setOptimizerState(resume.members[i].optimizer);
    });
    this.position = progress.position;
    this.history = [...progress.history];
    this.lockstep.sums = [...progress.sums];
    this.best = progress.best;
    this.bestWeights = resume.best && [...resume.best];
    this.comparisons = [...progress.comparisons];
    if (this.watch) {
      this.watch.steps.step = progress.steps;
      if (progress.noiseState) this.watch.noise.restore(progress.noiseState);
    }
    if (progress.finished) this.end = { outcome: 'finished' };
    return Promise.resolve();
  }

  async go(): Promise<Pick<RunResult, 'outcome' | 'reason'>> {
    const { train, validation } = this.data;
    const { epochs, batchSize, seed } = this.settings;
    if (this.end === undefined) {
      const plan = new NetworkPlan(this.config, 'train');
      const examples = { inputs: inputsOf(this.config, train), labels: train.labels };
      try {
        await runFitOn(this.lockstep, (given, name) => plan.checkExamples(given, name), examples, {
          epochs,
          batchSize,
          seed,
          ...(train.mask && { mask: train.mask }),
          ...(validation.labels.length > 0 && {
            validationData: {
              inputs: inputsOf(this.config, validation),
              labels: validation.labels,
              ...(validation.mask && { mask: validation.mask }),
            },
          }),
          ...(this.position && { position: this.position }),
          onBatchEnd: (log) => this.onBatch(log),
          onEpochEnd: (log) => this.onEpoch(log),
        });
      } catch (error) {
        if (!(error instanceof TrainingDivergedError)) throw error;
        const { epoch, batch, result, learningRate } = error;
        this.diverge({ epoch, batch, ...result, learningRate });
      }
    }
    const end = this.end ?? { outcome: 'finished' };
    if (end.outcome === 'finished') {
      this.takeBest();
      await this.save(true);
    }
    return end;
  }

  private compileOptions(epoch: number) {
    const { optimizer, clipNorm } = this.settings;
    const learningRate = learningRateAt(this.settings, epoch);
    return { optimizer: { name: optimizer, learningRate }, ...(clipNorm > 0 && { clipNorm }) };
  }

  private networks(): LayersNetwork[] {
    return this.watch ? [...this.sides, this.watch.noise.twin] : [...this.sides];
  }

  private async onBatch(log: BatchLog): Promise<boolean> {
    this.position = log.position;
    const learningRate = learningRateAt(this.settings, log.epoch);
    await this.options.onBatch?.(log, learningRate);
    if (this.explosion.isExploding(log)) {
      this.diverge({ ...log, learningRate });
      return false;
    }
    const checked = this.watch?.steps.comparisons.splice(0) ?? [];
    this.comparisons.push(...checked);
    const wrong = checked.find(({ share }) => !(share <= 1));
    if (wrong) {
      this.end = { outcome: 'parted', reason: describeStep(this.sides[0].name, this.sides[1].name, wrong) };
      return false;
    }
    const isStopped = this.options.signal?.aborted === true;
    const isSaved = this.options.keeper?.wantsSave(isStopped ? 'stop' : 'batch') === true;
    // what is saved must be readable again: the last sound checkpoint stays
    if (isSaved && this.hasOverflowed({ ...log, learningRate })) return false;
    if (isStopped) this.end = { outcome: 'interrupted' };
    if (isSaved) await this.save(false);
    return !isStopped;
  }

  private async onEpoch(log: EpochLog): Promise<boolean> {
    this.position = log.position;
    const record = this.recordOf(log);
    const { learningRate } = record;
    const last = { ...log, batch: this.batches - 1, gradientNorm: NaN, learningRate };
    if (this.hasOverflowed(last, record)) return false;
    this.history.push(record);
    this.lockstep.sums = this.sides.map(() => noSums);
    this.comparisons = [];
    this.epochStart = performance.now();
    await this.options.onEpoch?.(record);
    if (record.agreement?.verdict === 'parted') {
      this.end = { outcome: 'parted', reason: describeParting(this.sides, record.agreement) };
      return false;
    }
    const patient = this.keepBest(log);
    if (log.epoch + 1 < this.settings.epochs)
      this.setLearningRate(learningRateAt(this.settings, log.epoch + 1));
    const isLast = !patient || log.epoch + 1 === this.settings.epochs;
    if (!isLast && this.options.keeper?.wantsSave('epoch') === true) await this.save(false);
    return patient;
  }

  private recordOf(log: EpochLog): EpochRecord {
    const { evaluated, sums } = this.lockstep;
    const sides = this.sides.map(({ name }, i): SideEpoch => ({
      name,
      loss: sums[i].loss / sums[i].examples,
      accuracy: sums[i].correct / sums[i].examples,
      gradientNorm: sums[i].gradientNorm / sums[i].examples,
      ...(log.validationLoss !== undefined && {
        validationLoss: evaluated[i].loss,
        validationAccuracy: evaluated[i].accuracy,
      }),
    }));
    return {
      epoch: log.epoch + 1,
      learningRate: learningRateAt(this.settings, log.epoch),
      seconds: (performance.now() - this.epochStart) / 1000,
      sides,
      ...(this.watch && { agreement: judgeAgreement(this.sides, this.watch, this.comparisons) }),
    };
  }

  /** Remembers the best epoch's weights; false when patience has run out. */
  private keepBest({ epoch, validationLoss }: EpochLog): boolean {
    const { patience } = this.settings;
    if (patience === 0 || validationLoss === undefined) return true;
    if (this.best === undefined || validationLoss < this.best.loss) {
      this.best = { epoch: epoch + 1, loss: validationLoss };
      this.bestWeights = this.sides.map((side) => side.getWeights());
    }
    return epoch + 1 - this.best.epoch < patience;
  }

  private takeBest(): void {
    this.bestWeights?.forEach((weights, i) => this.sides[i].setWeights(weights));
  }

  /** Optimizer memory stays; only the rate changes. */
  private setLearningRate(learningRate: number): void {
    if (this.settings.decay === 'none') return;
    for (const network of this.networks()) {
      const { config, step, slots } = network.getOptimizerState();
      network.setOptimizerState({ config: { ...config, learningRate }, step, slots });
    }
  }

  private diverge(found: Partial<Divergence> & Omit<Divergence, 'side'>): void {
    const side = this.lockstep.failed ?? this.sides[0].name;
    this.end = {
      outcome: 'diverged',
      reason: describeDivergence({ side, batches: this.batches, ...found }, this.settings, this.data),
    };
  }

  private get batches(): number {
    return Math.ceil(this.data.train.labels.length / this.settings.batchSize);
  }

  /** Whether a side can no longer be written into a file; the run has then diverged. */
  private hasOverflowed(found: Omit<Divergence, 'side'>, record?: EpochRecord): boolean {
    const overflow = findOverflow(this.sides, record);
    if (overflow !== undefined) this.diverge({ ...found, ...overflow });
    return overflow !== undefined;
  }

  private async save(finished: boolean): Promise<void> {
    const { watch } = this;
    await this.options.keeper?.save({
      networks: this.networks(),
      best: this.bestWeights,
      progress: {
        position: this.position,
        history: this.history,
        sums: this.lockstep.sums,
        best: this.best,
        noiseState: watch?.noise.state(),
        steps: watch?.steps.step ?? 0,
        comparisons: this.comparisons,
        finished,
      },
    });
  }
}
