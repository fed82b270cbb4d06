import type { Tensor } from '../../../scratch/index';
import { weaknesses } from '../../../harness/coverage/explain';
import type { Asked } from '../../../harness/coverage/index';
import { makeProblem, type ProblemRecipe } from '../../../harness/problems/generated';
import { roundProblem, type Problem } from '../../../harness/base/problem';

const recipe: ProblemRecipe = {
  id: 'strong',
  seed: 3,
  batch: 4,
  timeSteps: 5,
  features: 4,
  units: 4,
  classes: 4,
  scale: 0.8,
  labels: true,
  upstreamStates: true,
  upstreamFinalState: true,
  initialState: true,
  mask: false,
};
const problemOf = (more: Partial<ProblemRecipe> = {}): Problem => makeProblem({ ...recipe, ...more });
const masked: Tensor = {
  data: Float64Array.from([1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1]),
  shape: [4, 5],
};

/** A problem with all parts, equal sizes and no weakness at all. */
export const strong: Problem = { ...problemOf(), mask: masked, labels: [0, 2, 1, 3] };
const { weights, upstream } = strong;

const map = ({ data, shape }: Tensor, next: (x: number, i: number) => number): Tensor => ({
  data: data.map((x, i) => Math.fround(next(x, i))),
  shape,
});
const half = (x: number): number => Math.round(64 * x) / 64;
const mirrored = (own: Tensor): Tensor =>
  map(own, (_, i) => own.data[Math.max(i, (i % 4) * 4 + Math.floor(i / 4))]);
const asked = (changed: Partial<Problem>): Asked => ({ problem: roundProblem({ ...strong, ...changed }) });
const withWeights = (changed: Partial<Problem['weights']>): Asked =>
  asked({ weights: { ...weights, ...changed } });

/** For each weakness a problem that has it and, as far as can be, no other. */
export const weak: Readonly<Record<string, Asked>> = {
  'one example': { problem: problemOf({ batch: 1 }) },
  'one time step': { problem: problemOf({ timeSteps: 1 }) },
  'few time steps': { problem: { ...problemOf({ timeSteps: 3 }), labels: strong.labels ?? [] } },
  'one unit': { problem: { ...problemOf({ units: 1 }), labels: strong.labels ?? [] } },
  'one feature': { problem: { ...problemOf({ features: 1 }), labels: strong.labels ?? [] } },
  'one class': {
    problem: { ...problemOf({ classes: 1, upstreamStates: false, upstreamFinalState: false }) },
  },
  'no gradient asked for': { problem: strong, names: ['states', 'finalState', 'logits', 'loss'] },
  'zero inputs': asked({ inputs: map(strong.inputs, () => 0) }),
  'no sign change of inputs': asked({ inputs: map(strong.inputs, Math.abs) }),
  'constant over time': asked({
    inputs: map(strong.inputs, (_x, i) => strong.inputs.data[i - (i % 20) + (i % 4)] ?? 0),
  }),
  'identical examples': {
    problem: {
      ...strong,
      inputs: map(strong.inputs, (_x, i) => strong.inputs.data[i % 20]),
      mask: map(masked, (_x, i) => masked.data[i % 5]),
    },
  },
  'identical initial states': asked({
    initialState: map(strong.initialState ?? strong.inputs, (_x, i) => strong.initialState?.data[i % 4] ?? 0),
  }),
  'zero initial state': asked({ initialState: map(strong.initialState ?? strong.inputs, () => 0) }),
  'identical labels': asked({ labels: [2, 2, 2, 2] }),
  'equal upstream': asked({
    upstream: { ...upstream, states: map(upstream?.states ?? strong.inputs, () => 1) },
  }),
  'nothing masked': asked({ mask: map(masked, () => 1) }),
  'identical masks': asked({ mask: map(masked, (_x, i) => masked.data[i % 5]) }),
  'zero bias': withWeights({ bias: map(weights.bias, () => 0) }),
  'zero weights': withWeights({ recurrentKernel: map(weights.recurrentKernel, () => 0) }),
  'equal kernels': withWeights({ kernel: weights.recurrentKernel }),
  'equal weights': withWeights({ bias: map(weights.bias, () => 0.3) }),
  'symmetric recurrentKernel': withWeights({ recurrentKernel: mirrored(weights.recurrentKernel) }),
  'symmetric kernel': withWeights({ kernel: mirrored(weights.kernel) }),
  'symmetric outputKernel': withWeights({ outputKernel: mirrored(weights.outputKernel ?? weights.kernel) }),
  'short numbers': withWeights({ kernel: map(weights.kernel, half) }),
  saturated: withWeights({ bias: map(weights.bias, (_x, i) => (i % 2 === 0 ? 30 : -30)) }),
  'small states': asked({
    initialState: map(strong.initialState ?? strong.inputs, (x) => 1e-5 * x),
    weights: {
      ...weights,
      kernel: map(weights.kernel, (x) => 1e-5 * x),
      bias: map(weights.bias, (x) => 1e-5 * x),
    },
  }),
};

/** The names of all weaknesses that are known. */
export const known: readonly string[] = weaknesses.map(({ what }) => what);
