import {
  createRandom,
  initialClassifierWeights,
  ScratchSimpleRNNClassifier,
  type ClassifierWeights,
  type OptimizerConfig,
  type OptimizerState,
  type Tensor,
} from '../../../scratch/index';
import type { UpdateOptions } from '../../../src/index';
import { memoize } from '../../base/memoize';
import { roundProblem, sizesOf, type Problem } from '../../base/problem';
import type { Trainee } from '../../faults/updates/index';
import { makeProblem } from '../../problems/index';

/** A training check: the same batches, weights and optimizer on both sides, one update at a time. */
export interface TrainingCheck {
  readonly id: string;
  readonly optimizer: OptimizerConfig;
  /** the norm that the gradients are clipped to, all together; absent: never */ readonly clipNorm?: number;
  /** one batch for each update; all with the weights and sizes of the first */
  readonly batches: readonly Problem[];
  /** where the optimizer's memory starts: zero, or random (so that one update shows the whole rule) */
  readonly memory: 'fresh' | 'random';
}

/** The rules that are checked. The norm of the checks' gradients is about 1. */
export const trainingRules = {
  sgd: { optimizer: { name: 'sgd', learningRate: 0.5 } },
  momentum: { optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9 } },
  nesterov: { optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true } },
  adam: { optimizer: { name: 'adam', learningRate: 0.01 } },
  'adam-keras': { optimizer: { name: 'adam', learningRate: 0.01, form: 'keras' } },
  clipped: { optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9 }, clipNorm: 0.1 },
} as const satisfies Readonly<Record<string, Pick<TrainingCheck, 'optimizer' | 'clipNorm'>>>;

/** Updates of the trajectories; every one starts both sides from the same weights. */
export const trajectorySteps = 25;

/** `count` batches of that many sequences, drawn by the seed: the data of the trajectories. */
export type TrajectoryBatches = (
  seed: number,
  count: number,
  batch: number,
) => Promise<readonly (Pick<Problem, 'inputs'> & { readonly labels: readonly number[] })[]>;

/** One update with each optimizer from the start and from a random memory, and two trajectories over batches of 10 classes (real digits). */
export async function trainingChecks(
  seed: number,
  isWanted: (id: string) => boolean,
  trajectoryBatches: TrajectoryBatches,
): Promise<TrainingCheck[]> {
  const one = Object.entries(trainingRules).flatMap(([name, rule], i) =>
    (['fresh', 'random'] as const).map((memory) => ({
      id: `step/${name}-${memory === 'fresh' ? 'first' : 'later'}`,
      ...rule,
      memory,
      batches: [trainingProblem(seed * 100_000 + 80_000 + i)],
    })),
  );
  const wanted = one.filter(({ id }) => isWanted(id));
  const trajectories = (['momentum', 'adam'] as const).filter((name) => isWanted(`trajectory/${name}`));
  if (trajectories.length === 0) return wanted;
  const batches = await trajectoryBatches(seed, trajectorySteps, 16);
  const features = batches[0].inputs.shape[2];
  const weights = initialClassifierWeights({ features, units: 12, classes: 10, seed });
  const problems = batches.map((batch, i) => roundProblem({ id: `batch ${i}`, ...batch, weights }));
  return [
    ...wanted,
    ...trajectories.map((name) => ({
      id: `trajectory/${name}`,
      ...trainingRules[name],
      memory: 'fresh' as const,
      batches: problems,
    })),
  ];
}

function trainingProblem(seed: number): Problem {
  return makeProblem({
    id: 'training',
    seed,
    batch: 6,
    timeSteps: 7,
    features: 3,
    units: 5,
    classes: 4,
    scale: 1,
    labels: true,
    upstreamStates: false,
    upstreamFinalState: false,
    initialState: false,
    mask: false,
  });
}

/** Where a step of a check starts: numbers that both precisions hold exactly. */
export interface TrainingStart {
  readonly weights: ClassifierWeights;
  readonly state: OptimizerState;
}

/** Both sides' results of one update. */
export interface TrainingStep {
  readonly start: TrainingStart;
  /** the batch with the weights it started from */ readonly problem: Problem;
  readonly scratch: {
    readonly loss: number;
    readonly weights: ClassifierWeights;
    readonly state: OptimizerState;
  };
  readonly given: {
    readonly loss: number;
    readonly weights: ClassifierWeights;
    readonly state: OptimizerState;
  };
}

/** Runs a check. Each update starts both sides from the scratch side's last weights and memory, rounded to float32. */
export function* trainingSteps(
  check: TrainingCheck,
  model: Trainee,
  scratch?: Trainee,
): Generator<TrainingStep> {
  compileFor(check, model);
  const byHand = scratch === undefined ? updatesByHand(check) : updatesBy(check, scratch);
  for (const step of byHand) yield { ...step, given: updated(model, step.start, step.problem) };
}

/** The same on a side that makes each update by itself, and reads it asynchronously. */
export async function* trainingStepsAsync(
  check: TrainingCheck,
  update: (options: UpdateOptions) => Promise<TrainingStep['given']>,
): AsyncGenerator<TrainingStep> {
  const { optimizer, clipNorm } = check;
  for (const step of updatesByHand(check)) {
    const { inputs, labels = [] } = step.problem;
    const from = { inputs, labels, weights: step.start.weights, state: step.start.state };
    yield {
      ...step,
      given: await update({ ...from, optimizer, ...(clipNorm !== undefined && { clipNorm }) }),
    };
  }
}

/** The scratch side's updates, which no other side has a part in. */
const updatesByHand = memoize((check: TrainingCheck): Omit<TrainingStep, 'given'>[] => [
  ...updatesBy(check, scratchFor(check)),
]);

function* updatesBy(check: TrainingCheck, scratch: Trainee): Generator<Omit<TrainingStep, 'given'>> {
  compileFor(check, scratch);
  const weights = check.batches[0].weights as ClassifierWeights;
  let start = roundStart({ weights, state: initialMemory(check, scratch) });
  for (const batch of check.batches) {
    const problem = { ...batch, weights: start.weights };
    const made = updated(scratch, start, batch);
    yield { start, problem, scratch: made };
    start = roundStart(made);
  }
}

function compileFor({ optimizer, clipNorm }: TrainingCheck, model: Trainee): void {
  model.compile({ optimizer, ...(clipNorm !== undefined && { clipNorm }) });
}

/** One update, from the given weights and memory. */
function updated(model: Trainee, start: TrainingStart, batch: Problem): TrainingStep['given'] {
  model.setWeights(start.weights);
  model.setOptimizerState(start.state);
  const { loss } = model.trainOnBatch(batch.inputs, batch.labels ?? []);
  return { loss, weights: model.getWeights(), state: model.getOptimizerState() };
}

/** The scratch side of a check. */
export function scratchFor({ batches: [first] }: TrainingCheck): ScratchSimpleRNNClassifier {
  const { features, units, classes = 1 } = sizesOf(first);
  const weights = first.weights as ClassifierWeights;
  return new ScratchSimpleRNNClassifier({ features, units, classes, weights });
}

function roundStart({ weights, state }: TrainingStart): TrainingStart {
  const slots = Object.entries(state.slots).map(([name, slot]) => [name, rounded(slot)] as const);
  return { weights: rounded(weights), state: { ...state, slots: Object.fromEntries(slots) } };
}

function rounded(weights: ClassifierWeights): ClassifierWeights {
  return mapWeights(weights, ({ data, shape }) => ({ data: data.map(Math.fround), shape }));
}

/** Applies `change` to each of the five weights. */
export function mapWeights(
  weights: ClassifierWeights,
  change: (tensor: Tensor, name: keyof ClassifierWeights) => Tensor,
): ClassifierWeights {
  return {
    kernel: change(weights.kernel, 'kernel'),
    recurrentKernel: change(weights.recurrentKernel, 'recurrentKernel'),
    bias: change(weights.bias, 'bias'),
    outputKernel: change(weights.outputKernel, 'outputKernel'),
    outputBias: change(weights.outputBias, 'outputBias'),
  };
}

/** A random memory after three updates: velocities like gradients, second moments positive. */
function initialMemory(check: TrainingCheck, model: Trainee): OptimizerState {
  const fresh = model.getOptimizerState();
  if (check.memory === 'fresh') return fresh;
  const random = createRandom(17);
  const { optimizer } = check;
  const slotNames =
    optimizer.name === 'adam' ? ['m', 'v'] : (optimizer.momentum ?? 0) > 0 ? ['velocity'] : [];
  const weights = model.getWeights();
  const slots = slotNames.map((slot) => [
    slot,
    mapWeights(weights, ({ data, shape }) => ({
      data: data.map(() => (slot === 'v' ? 1e-3 + 1e-2 * random.uniform() : 0.1 * random.normal())),
      shape,
    })),
  ]);
  return { ...fresh, step: 3, slots: Object.fromEntries(slots) as OptimizerState['slots'] };
}
