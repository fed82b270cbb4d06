import { makeProblem } from '../problems/index';
import { mapParts, roundProblem, type Problem } from '../base/problem';
import { canShow, faultsOfStep, type Fault, type StepFault } from '../faults/index';

/** Sizes B, T, F, U, C and what the problem holds: labels, an initial state, a mask, gradients for the states and the final state. */
type Shape = readonly [B: number, T: number, F: number, U: number, C: number, parts: string];

/** All sizes different: nothing hides in a shape. */
const different: readonly Shape[] = [
  [3, 6, 2, 4, 5, 'labels initial mask states final'],
  [2, 9, 3, 5, 4, 'labels initial'],
  [5, 4, 6, 3, 2, 'labels mask'],
  [4, 5, 2, 6, 3, 'labels initial states'],
  [6, 7, 3, 2, 5, 'labels initial mask final'],
];
/** F = U: kernel and recurrentKernel, and the kernel and its transpose, have one shape. */
const featuresAreUnits: readonly Shape[] = [
  [3, 5, 4, 4, 2, 'labels initial mask'],
  [2, 7, 3, 3, 5, 'labels initial states final'],
  [5, 4, 6, 6, 3, 'labels'],
  [4, 8, 2, 2, 3, 'initial states final'],
  [3, 6, 5, 5, 4, 'labels initial mask'],
];
/** B = U: a sum over the wrong axis has the right shape. */
const batchIsUnits: readonly Shape[] = [
  [4, 6, 3, 4, 2, 'labels initial mask states'],
  [3, 7, 5, 3, 4, 'labels initial states final'],
  [5, 3, 2, 5, 4, 'labels'],
  [2, 8, 4, 2, 6, 'labels mask states'],
  [6, 5, 3, 6, 2, 'initial states final'],
];
/** U = C: the output kernel and its transpose have one shape. */
const unitsAreClasses: readonly Shape[] = [
  [3, 6, 2, 4, 4, 'labels initial mask'],
  [5, 4, 3, 2, 2, 'labels states'],
  [2, 7, 6, 5, 5, 'labels final'],
  [4, 5, 2, 3, 3, 'labels initial states final'],
  [6, 3, 4, 5, 5, 'labels initial mask'],
];
/** Logits so far apart that probabilities vanish, and e^y overflows, in either precision. */
const extreme: readonly Shape[] = [
  [3, 6, 2, 4, 5, 'labels initial extreme'],
  [2, 7, 3, 3, 5, 'labels extreme'],
  [5, 4, 6, 3, 2, 'labels mask extreme'],
  [4, 5, 2, 6, 3, 'labels initial states extreme'],
  [1, 6, 3, 5, 4, 'labels extreme'],
];
/** Long ones, for faults of a single step; gradients arrive at every state, so that every step counts. */
const long: readonly Shape[] = [
  [3, 6, 2, 4, 5, 'labels initial states'],
  [2, 24, 3, 5, 4, 'labels initial states'],
  [2, 100, 3, 4, 5, 'initial states final'],
];

/** Every seventh shape of a fault is one that hides something: first three plain ones, then F = U, then B = U. */
const order: readonly Shape[] = [
  ...different.slice(0, 3),
  featuresAreUnits[0],
  batchIsUnits[0],
  ...different.slice(3),
  ...featuresAreUnits.slice(1),
  ...batchIsUnits.slice(1),
  ...unitsAreClasses,
  ...extreme,
];

export interface TrialSizes {
  /** shapes a fault is planted on */ readonly shapes: number;
  /** problems of each shape */ readonly seeds: number;
  readonly seed: number;
}

/** A fault of the catalogue, one outside it, or an equivalent change. */
type Planted = Pick<Fault, 'name' | 'runs' | 'precision' | 'calls'> & { readonly equivalent?: string };

/**
 * The problems that a fault is planted on: `seeds` of each of the first `shapes` shapes that can show it. No problem can show an
 * equivalent change, so it is planted on the first shapes.
 */
export function problemsFor(fault: Planted, sizes: TrialSizes): Problem[][] {
  const isPlantedAnywhere = fault.equivalent !== undefined || fault.calls === true;
  const found: Problem[][] = [];
  for (const shape of order) {
    if (found.length === sizes.shapes) break;
    const problems: Problem[] = [];
    // what a problem can show may depend on its numbers (a threshold that is reached or not)
    for (let i = 0; i < 10 * sizes.seeds && problems.length < sizes.seeds; i++) {
      const problem = problemOf(shape, sizes.seed * 1000 + i);
      const isShown = isPlantedAnywhere || canShow(fault, problem, fault.precision ?? 'float32');
      if (isShown && hasGradients(problem)) problems.push(problem);
      else if (i > 2 && problems.length === 0 && !/clip/.test(fault.name)) break;
    }
    if (problems.length === sizes.seeds) found.push(problems);
  }
  return found;
}

/** The problems for faults of one time step, and the steps to plant them at: the ends, the middle, and one in between. */
function longProblems({ shapes, seeds, seed }: TrialSizes): { problem: Problem; steps: number[] }[] {
  return long.slice(0, Math.max(1, Math.ceil((shapes * long.length) / 5))).flatMap((shape, k) =>
    Array.from({ length: k === 2 ? Math.ceil(seeds / 3) : seeds }, (_, i) => {
      const T = shape[1];
      const between = (seed * 7 + i * 5 + 1) % T;
      const steps = [...new Set([0, T >> 1, T - 1, between])].slice(0, shapes < 3 ? 2 : 4);
      return { problem: problemOf(shape, seed * 1000 + 100 + i), steps };
    }),
  );
}

/** Each fault of one time step, and each long problem that can show it. */
export function stepCases(sizes: TrialSizes): [StepFault, Problem][] {
  return longProblems(sizes).flatMap(({ problem, steps }) =>
    steps.flatMap((step) =>
      faultsOfStep(step)
        .filter((fault) => canShow(fault, problem, 'float32'))
        .map((fault): [StepFault, Problem] => [fault, problem]),
    ),
  );
}

/** Updates of each training check: the first starts from nothing, or from a memory of its own. */
const updates = 3;

/** The batches that optimizers' faults are planted on: `seeds` series of each of the first `shapes` shapes, with labels and no more. */
export function trainingBatches({ shapes, seeds, seed }: TrialSizes): (readonly Problem[])[] {
  return different
    .slice(0, shapes)
    .flatMap((shape) =>
      Array.from({ length: seeds }, (_, i) => seriesOf(shape, seed * 1000 + 200 + i * updates)),
    );
}

const series = new Map<string, readonly Problem[]>();

function seriesOf(shape: Shape, seed: number): readonly Problem[] {
  const [batch, timeSteps, features, units, classes] = shape;
  const key = [batch, timeSteps, features, units, classes, seed].join();
  const made =
    series.get(key) ??
    Array.from({ length: updates }, (_, k) =>
      problemOf([batch, timeSteps, features, units, classes, 'labels'], seed + k),
    );
  series.set(key, made);
  return made;
}

const known = new Map<string, Problem>();

function problemOf([batch, timeSteps, features, units, classes, parts]: Shape, seed: number): Problem {
  const id = `B${batch} T${timeSteps} F${features} U${units} C${classes} ${parts}, seed ${seed}`;
  const old = known.get(id);
  if (old !== undefined) return old;
  const problem = makeProblem({
    id,
    seed,
    batch,
    timeSteps,
    features,
    units,
    classes,
    scale: 1,
    labels: parts.includes('labels'),
    upstreamStates: parts.includes('states'),
    upstreamFinalState: parts.includes('final'),
    initialState: parts.includes('initial'),
    mask: parts.includes('mask'),
  });
  known.set(id, roundProblem(parts.includes('extreme') ? withLargeLogits(problem) : problem));
  return known.get(id) ?? problem;
}

function withLargeLogits(problem: Problem): Problem {
  return mapParts(problem, ({ data, shape }, name) => ({
    data: name === 'weights.outputKernel' ? data.map((x) => 4000 * x) : data,
    shape,
  }));
}

function hasGradients({ labels, upstream }: Problem): boolean {
  return labels !== undefined || upstream !== undefined;
}
