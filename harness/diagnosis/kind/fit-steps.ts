import type { Tensor } from '../../../scratch/index';
import { sizesOf, tensorOf, type TensorName } from '../../base/problem';
import { doublePrecisionRun } from '../../budget/index';
import { problemForLocalJudgement } from '../../judge/index';
import type { Reading } from './reading';

/**
 * The time steps that a fault of one step alone can sit in, from the answer: the first step with a wrong state, the last with a
 * wrong input gradient and its neighbours, and the steps whose shares, left out, doubled or taken with a neighbour, come
 * closest to the difference of a gradient that is a sum over time.
 */
export function stepsToSuspect(reading: Reading): Set<number> {
  const steps = new Set<number>();
  const { timeSteps } = sizesOf(reading.problem);
  const wrong = reading.wrongTensors();
  const states = wrongSteps(reading, 'states');
  if (states.length > 0) return new Set([states[0]]);
  const inputs = wrongSteps(reading, 'gradients.inputs');
  if (inputs.length > 0) {
    const last = inputs[inputs.length - 1];
    for (const step of [last, last + 1, last + 2]) if (step < timeSteps) steps.add(step);
    // a masked or saturated step hides a carry that was lost before it
    for (const step of inputs.slice(0, 2)) steps.add(step);
  } else if (wrong.includes('gradients.initialState')) steps.add(0);
  for (const name of ['kernel', 'recurrentKernel', 'bias'] as const)
    if (inputs.length === 0 && wrong.includes(`gradients.${name}`))
      for (const step of closestShares(reading, name)) steps.add(step);
  return steps;
}

/** The steps of [B, T, n] at which the answer is not right. */
function wrongSteps(reading: Reading, name: TensorName): number[] {
  const given = reading.given.get(name);
  const right = tensorOf(reading.right, name);
  if (given === undefined || right === undefined || given.shape.join() !== right.shape.join()) return [];
  const [, timeSteps, n] = right.shape;
  const swapped = (t: number): Tensor => ({
    data: right.data.map((x, i) => (Math.floor(i / n) % timeSteps === t ? x : given.data[i])),
    shape: right.shape,
  });
  return Array.from({ length: timeSteps }, (_, t) => t).filter(
    (t) => !reading.isTensorNear(name, swapped(t)),
  );
}

/** The steps that leave the least of given - right when what they could have done wrong is taken off it, best first. */
function closestShares(reading: Reading, name: 'kernel' | 'recurrentKernel' | 'bias'): number[] {
  const { problem } = reading;
  const { batch, timeSteps, features, units } = sizesOf(problem);
  const given = reading.given.get(`gradients.${name}`);
  const right = reading.right.gradients?.[name];
  const { states } = reading.right;
  // the additional inputs show the gradient with respect to z_t
  const wide = doublePrecisionRun(problemForLocalJudgement(problem)).gradients?.inputs;
  if (given?.data.length !== right?.data.length || !right || !states || !wide) return [];
  const difference = right.data.map((x, i) => (given?.data[i] ?? 0) - x);
  const rows = right.data.length / units;
  const left = (b: number, t: number, i: number): number => {
    if (name === 'bias') return 1;
    if (name === 'kernel')
      return problem.inputs.data[(b * timeSteps + Math.min(t, timeSteps - 1)) * features + i];
    return t === 0
      ? (problem.initialState?.data[b * units + i] ?? 0)
      : states.data[(b * timeSteps + t - 1) * units + i];
  };
  const product = (at: number, t: number): Float64Array => {
    const sum = new Float64Array(right.data.length);
    for (let b = 0; b < batch; b++)
      for (let j = 0; j < units; j++) {
        const dz = wide.data[(b * timeSteps + t) * (features + units) + features + j];
        for (let i = 0; i < rows; i++) sum[i * units + j] += left(b, at, i) * dz;
      }
    return sum;
  };
  const rests = Array.from({ length: timeSteps }, (_, t) => {
    const own = product(t, t);
    const next = name === 'bias' ? own : product(t + 1, t);
    const rest = (of: (i: number) => number): number =>
      difference.reduce((sum, d, i) => sum + (d - of(i)) ** 2, 0);
    return {
      t,
      rest: Math.min(
        rest((i) => -own[i]),
        rest((i) => own[i]),
        rest((i) => next[i] - own[i]),
      ),
    };
  });
  return rests
    .sort((a, b) => a.rest - b.rest)
    .slice(0, 2)
    .map(({ t }) => t);
}
