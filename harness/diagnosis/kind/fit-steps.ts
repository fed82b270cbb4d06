import type { Tensor } from '../../../scratch/index';
import { sizesOf, tensorOf, type TensorName } from '../../base/problem';
import { faultsOfStep } from '../../faults/index';
import { sumNames } from '../steps-of-sum';
import type { SideReading } from './reading';
import type { Suspect } from './suspect';

/**
 * The faults of one time step alone that an answer may have: those of the first step with a wrong state, of the last with a wrong input
 * gradient and its neighbours, and of the steps that were found wrong. Where only a gradient is wrong that is a sum over time, every step may
 * have added a wrong share.
 *
 * @param steps whose faults are all suspected; those that the problem does not have are left out
 * @param sums that every step may have spoilt
 */
export function stepSuspects(
  { problem }: SideReading,
  steps: readonly number[],
  sums: readonly string[],
): Suspect[] {
  const { timeSteps } = sizesOf(problem);
  const suspected = new Set(steps);
  return Array.from({ length: timeSteps }, (_, t) => faultsOfStep(t)).flatMap((faults, t) =>
    suspected.has(t) ? faults : faults.filter(({ wrong }) => sums.includes(wrong.tensor)),
  );
}

/** Steps whose faults are all suspected, and sums over time that every step may have spoilt. */
export function stepsToSuspect(reading: SideReading): {
  readonly steps: readonly number[];
  readonly sums: readonly string[];
} {
  const wrong = reading.wrongTensors;
  const [first] = wrongSteps(reading, 'states');
  if ((first as number | undefined) !== undefined) return { steps: [first], sums: [] };
  const inputs = wrongSteps(reading, 'gradients.inputs');
  const last = inputs[inputs.length - 1];
  // a masked or saturated step hides a carry that was lost before it
  if (inputs.length > 0) return { steps: [last, last + 1, last + 2, ...inputs.slice(0, 2)], sums: [] };
  return {
    steps: wrong.has('gradients.initialState') ? [0] : [],
    sums: sumNames.filter((name) => wrong.has(name)),
  };
}

/** The steps of [B, T, n] at which the answer is not right. */
function wrongSteps(reading: SideReading, name: TensorName): number[] {
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
