import { weightNames } from '../../../scratch/index';
import type { Evaluation } from '../../base/problem';
import {
  clippedByNorm,
  clippedByNormOfEach,
  clippedByValue,
  gradients as changedGradients,
  runsOf,
  truncated,
  type Fault,
  type GradientName,
} from '../../faults/index';
import { factorOf } from './fit-loss';
import type { SideReading } from './reading';
import type { Suspect } from './suspect';

/** Faults with a number in them, whose number is read off the answer: a threshold, a factor. */
export function fittedGradientSuspects(reading: SideReading): Suspect[] {
  const { gradients } = reading.answer;
  if (gradients === undefined || reading.right.gradients === undefined) return [];
  return [...clippings(reading), ...factors(reading)];
}

/** The first step whose input still has a gradient says where backpropagation was cut; so may any suspected step. */
export function truncations({ given, right, problem }: SideReading, steps: Iterable<number>): Fault[] {
  const dInputs = given.get('gradients.inputs');
  const [, timeSteps, features] = problem.inputs.shape;
  const expected = right.gradients?.inputs;
  if (dInputs?.shape[1] !== timeSteps || expected === undefined) return [];
  const largest = (data: Float64Array, t: number): number =>
    data.reduce(
      (max, x, i) => (Math.floor(i / features) % timeSteps === t ? Math.max(max, Math.abs(x)) : max),
      0,
    );
  let first = 0;
  while (first < timeSteps - 1 && largest(dInputs.data, first) <= 1e-5 * largest(expected.data, first))
    first++;
  const cuts = new Set([first, ...steps].filter((t) => t > 0 && t < timeSteps));
  return [...cuts].map((t) => truncated(timeSteps - t));
}

function clippings({ answer, right }: SideReading): Fault[] {
  const { gradients } = answer;
  const suspects: Fault[] = [];
  const norm = gradientNorm(answer, weightNames);
  if (norm < gradientNorm(right, weightNames)) suspects.push(clippedByNorm(norm));
  const norms = weightNames
    .filter((name) => gradientNorm(answer, [name]) < 0.9999 * gradientNorm(right, [name]))
    .map((name) => gradientNorm(answer, [name]));
  if (norms.length > 1) suspects.push(clippedByNormOfEach(Math.max(...norms)));
  const largest = weightNames.reduce(
    (max, name) => gradients?.[name]?.data.reduce((m, x) => Math.max(m, Math.abs(x)), max) ?? max,
    0,
  );
  suspects.push(clippedByValue(largest));
  return suspects;
}

/** The root of the sum of the squares of those gradients together. */
function gradientNorm(answer: Evaluation, names: readonly GradientName[]): number {
  let sum = 0;
  for (const name of names) answer.gradients?.[name]?.data.forEach((x) => (sum += x * x));
  return Math.sqrt(sum);
}

const layerNames = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState'] as const;

const groups: readonly (readonly [words: string, names: readonly GradientName[]])[] = [
  ['every gradient', [...weightNames, 'inputs', 'initialState']],
  ['every gradient of the recurrent layer', layerNames],
  ["every weight's gradient", weightNames],
  ['the gradient of the kernel', ['kernel']],
  ['the gradient of the recurrent kernel', ['recurrentKernel']],
  ['the gradient of the bias', ['bias']],
  ['the gradient of the inputs', ['inputs']],
  ['the gradient of the initial state', ['initialState']],
  ['the gradient of the output kernel', ['outputKernel']],
  ['the gradient of the output bias', ['outputBias']],
];

/** One factor on a group of gradients. */
function factors({ answer, right }: SideReading): Suspect[] {
  return groups.flatMap(([words, names]) => {
    const factor = factorBetween(answer, right, names);
    if (factor === undefined) return [];
    const shown = Number(factor.toPrecision(4));
    if (shown === 1) return [];
    return [
      {
        name: 'gradients/factor',
        words: `${words} is ${shown} times what it should be`,
        family: 'batch-mean',
        phase: 'backward',
        // the gradients of the output layer are made by the loss
        ...(names.includes('outputKernel') || names.includes('outputBias') ? { orIn: ['loss'] } : {}),
        runs: runsOf(
          changedGradients(names, (x) => factor * x),
          'backward',
        ),
      },
    ];
  });
}

/** The factor that fits those gradients together best. */
function factorBetween(
  given: Evaluation,
  right: Evaluation,
  names: readonly GradientName[],
): number | undefined {
  const [from, to]: [number[], number[]] = [[], []];
  for (const name of names) {
    const [g, r] = [given.gradients?.[name]?.data, right.gradients?.[name]?.data];
    if (g === undefined || r === undefined) continue;
    if (g.length !== r.length) return undefined;
    from.push(...r);
    to.push(...g);
  }
  return factorOf(from, to);
}
