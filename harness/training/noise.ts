import {
  createRandom,
  restoreRandom,
  type LayersNetwork,
  type Random,
  type StackInputOptions,
  type StackWeights,
  type TensorLike,
} from '../../scratch/index';
import { biasCorrectionError } from '../base/bias-correction';
import {
  distance,
  largestOf,
  mapWeights,
  measure,
  norm,
  subtract,
  type ByWeight,
  type Distance,
} from './drift';
import type { StepObserver } from './lockstep';

/** Half the distance of 1 to the next float32: what one rounding may do, relatively. */
const roundoff = 2 ** -24;

/**
 * The float32 noise of a training run, measured: a copy of the float32 side that takes the same steps, but whose weights are moved
 * after every step by a random share of up to 4 roundoffs. Training amplifies these moves exactly as it amplifies the side's own
 * rounding errors, which are of that size (the stored weight is rounded once, and the update carries the rounding of the gradient).
 * How far the copy drifts from its original is how far rounding alone can carry the weights.
 */
export class NoiseTwin implements StepObserver {
  private random: Random;

  constructor(
    private readonly original: LayersNetwork,
    readonly twin: LayersNetwork,
    seed: number,
  ) {
    this.random = createRandom(seed);
  }

  after(inputs: TensorLike, labels: ArrayLike<number>, options: StackInputOptions): void {
    this.twin.trainOnBatch(inputs, labels, options);
    this.twin.setWeights(
      mapWeights(this.twin.getWeights(), (x) => x * (1 + 4 * roundoff * (2 * this.random.uniform() - 1))),
    );
  }

  drift(): Distance {
    return distance(this.original.getWeights(), this.twin.getWeights());
  }

  state(): readonly number[] {
    return this.random.state();
  }

  restore(state: readonly number[]): void {
    this.random = restoreRandom(state);
  }
}

/** One step taken by both sides from the very same weights and optimizer state. */
export interface StepComparison {
  /** counted from 0 over the whole run */ readonly step: number;
  /** per weight: ||float32 step - scratch step|| */ readonly deviation: ByWeight;
  /** per weight: what rounding allows */ readonly budget: ByWeight;
  /** the weight with the largest share of its budget */ readonly worst: string;
  /** deviation over budget of the worst; above 1 the step is wrong for another reason than rounding */ readonly share: number;
}

/** How many times the effect of a single rounding a whole step may deviate: T steps and dot products over U round many times. */
const allowance = 16;

/**
 * Checks single steps of the float32 side, however far the runs have drifted apart: scratch is put at the float32 side's weights and
 * optimizer state, both take the step, and the results are compared.
 *
 * Budget of a weight: 16 x (the change of scratch's step when every weight and input moves by one float32 roundoff, in random
 * directions) + 16 roundoffs of the weight itself + the step's size x the error of Adam's bias corrections. The first term is the
 * step's own conditioning, measured at this very point.
 */
export class StepCheck implements StepObserver {
  /** steps taken so far, also in earlier sessions of the run */ step = 0;
  readonly comparisons: StepComparison[] = [];
  private expected: ExpectedStep | undefined;

  constructor(
    private readonly reference: LayersNetwork,
    private readonly candidate: LayersNetwork,
    private readonly shadow: LayersNetwork,
    /** every how many steps; the first is always checked */ private readonly every: number,
    private readonly seed: number,
  ) {}

  before(inputs: TensorLike, labels: ArrayLike<number>, options: StackInputOptions): void {
    this.expected = undefined;
    if (this.step % this.every !== 0) return;
    const weights = this.candidate.getWeights();
    // The candidate's memory, but the settings that the run is meant to have.
    const { config } = this.reference.getOptimizerState();
    const state = { ...this.candidate.getOptimizerState(), config };
    const run = (start: StackWeights, x: TensorLike): StackWeights => {
      this.shadow.setWeights(start);
      this.shadow.setOptimizerState(state);
      this.shadow.trainOnBatch(x, labels, options);
      return this.shadow.getWeights();
    };
    const random = createRandom(this.seed + this.step);
    const nudge = (x: number): number => x * (1 + (random.integer(2) === 0 ? roundoff : -roundoff));
    const moved = mapWeights(weights, nudge);
    const after = run(weights, inputs);
    const sway = subtract(subtract(run(moved, nudged(inputs, nudge)), moved), subtract(after, weights));
    const correction = roundoff * biasCorrectionError(config, state.step + 1);
    this.expected = { after, sway, correction, taken: subtract(after, weights) };
  }

  after(): void {
    if (this.expected !== undefined)
      this.comparisons.push(compareStep(this.step, this.candidate.getWeights(), this.expected));
    this.step++;
  }
}

function nudged(inputs: TensorLike, nudge: (x: number) => number): TensorLike {
  if (!('data' in inputs))
    throw new TypeError('StepCheck: inputs are nested arrays; the training loop passes flat ones.');
  return { data: Float64Array.from(inputs.data, nudge), shape: inputs.shape };
}

interface ExpectedStep {
  readonly after: StackWeights;
  /** after minus before */ readonly taken: StackWeights;
  /** what moving weights and inputs by a roundoff changes of the step */ readonly sway: StackWeights;
  /** relative error of the step's size */ readonly correction: number;
}

function compareStep(
  step: number,
  found: StackWeights,
  { after, taken, sway, correction }: ExpectedStep,
): StepComparison {
  const deviation = measure(subtract(found, after), norm);
  const [moved, held, change] = [sway, found, taken].map((weights) => measure(weights, norm));
  const each = (value: (name: string) => number): ByWeight =>
    Object.fromEntries(Object.keys(deviation).map((name) => [name, value(name)]));
  const budget = each(
    (name) =>
      allowance * (moved[name] + roundoff * held[name]) + correction * change[name] + Number.MIN_VALUE,
  );
  const shares = each((name) => deviation[name] / budget[name]);
  const worst = largestOf(shares);
  return { step, deviation, budget, worst, share: shares[worst] };
}
