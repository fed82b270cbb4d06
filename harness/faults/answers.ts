import type { ClassifierGradients, Tensor } from '../../scratch/index';
import type { Evaluation } from '../base/problem';

export const weightNames = ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const;
export const layerWeightNames = ['kernel', 'recurrentKernel', 'bias'] as const;
export const layerNames = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState'] as const;

/** The same answer with some of its gradients changed. */
export function changeGradients(
  answer: Evaluation,
  names: readonly (keyof ClassifierGradients)[],
  change: (tensor: Tensor, name: keyof ClassifierGradients) => Tensor,
): Evaluation {
  const { gradients } = answer;
  if (gradients === undefined) return answer;
  const changed = names.flatMap((name) => {
    const tensor = gradients[name];
    return tensor === undefined ? [] : [[name, change(tensor, name)] as const];
  });
  return { ...answer, gradients: { ...gradients, ...Object.fromEntries(changed) } };
}

/** The tensor with every number sent through `change`. */
export function mapTensor({ data, shape }: Tensor, change: (x: number, i: number) => number): Tensor {
  return { data: data.map(change), shape };
}

/** The root of the sum of the squares of those gradients together. */
export function gradientNorm(answer: Evaluation, names: readonly (keyof ClassifierGradients)[]): number {
  let sum = 0;
  for (const name of names) answer.gradients?.[name]?.data.forEach((x) => (sum += x * x));
  return Math.sqrt(sum);
}
