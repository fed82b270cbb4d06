import {
  isLayered,
  mapParts,
  partOf,
  partsOf,
  readsIntegers,
  tablesOf,
  withParts,
  type AnyProblem,
} from '../base/problem';
import type { Tensor } from '../../scratch/index';
import { fill } from '../problems/index';
import { everyPart } from './parts';
import { isSameAlong, isZero, map, random, varied } from './tensors';
import { change, type Asked, type Weakness } from './weakness';

/** Weaknesses of the inputs themselves, where they are numbers: integers have neither signs nor sizes. */
const weaknessesOfNumbers = [
  {
    what: 'zero inputs',
    found: ({ problem: { inputs } }) => (isZero(inputs) ? 'every input is zero' : undefined),
    fix: 'give inputs of both signs',
    fixed: (asked) => change(asked, { inputs: random(asked.problem.inputs.shape, 1, 1) }),
  },
  {
    what: 'no sign change of inputs',
    found: ({ problem: { inputs } }) => {
      const [least, most] = [Math.min, Math.max].map((pick) => inputs.data.reduce((x, y) => pick(x, y)));
      return least < 0 || most === 0 ? undefined : `no input is negative (${short(least)} to ${short(most)})`;
    },
    fix: 'give inputs of both signs',
    fixed: (asked) => change(asked, { inputs: map(asked.problem.inputs, (x, i) => (i % 2 === 0 ? -x : x)) }),
  },
  {
    what: 'constant over time',
    found: ({ problem: { inputs } }) =>
      isSameAlong(inputs, 1) && !isZero(inputs)
        ? `the inputs are the same at all ${inputs.shape[1]} time steps`
        : undefined,
    fix: 'let the inputs change with time',
    fixed: (asked) => change(asked, { inputs: varied(asked.problem.inputs, 2) }),
  },
  {
    what: 'identical examples',
    found: ({ problem: { inputs } }) =>
      isSameAlong(inputs, 0) && !isZero(inputs)
        ? `all ${inputs.shape[0]} examples have the same inputs`
        : undefined,
    fix: 'give every example different inputs',
    fixed: (asked) => change(asked, { inputs: varied(asked.problem.inputs, 3) }),
  },
] satisfies Weakness[];

const isOfInitialStates = (name: string): boolean => name.startsWith('initialState');

function initialStatesOf(problem: AnyProblem): Tensor[] {
  return partsOf(problem)
    .filter(isOfInitialStates)
    .flatMap((name) => partOf(problem, name) ?? []);
}

/** Weaknesses of what is fed in: inputs, initial states, labels, gradients from above, masks. */
export const weaknessesOfInputs: readonly Weakness[] = [
  ...weaknessesOfNumbers.map((own: Weakness): Weakness => ({
    ...own,
    found: (asked, right) => (readsIntegers(asked.problem) ? undefined : own.found(asked, right)),
  })),
  {
    what: 'identical initial states',
    found: ({ problem }) => {
      const all = initialStatesOf(problem);
      return all.length > 0 && all.every((state) => !isZero(state) && isSameAlong(state, 0))
        ? `all ${all[0].shape[0]} examples start from the same ${isLayered(problem) ? 'states' : 'state'}`
        : undefined;
    },
    fix: 'give every example a different initial state',
    fixed: (asked) =>
      change(
        asked,
        mapParts(asked.problem, (own, name) => (isOfInitialStates(name) ? varied(own, 4) : own)),
      ),
  },
  {
    what: 'zero initial state',
    found: ({ problem }) =>
      initialStatesOf(problem).every(isZero)
        ? `every example starts from ${isLayered(problem) ? 'states' : 'a state'} of zeros`
        : undefined,
    fix: 'give an initial state that is not zero',
    fixed: (asked) => {
      const parts = [...tablesOf(asked.problem).parts].filter(([name]) => isOfInitialStates(name));
      const drawn = parts.map(([name, axes], i) => {
        const shape = axes.map(({ size }) => size);
        return [name, random(shape, 50 + i, 0.9)] as const;
      });
      return change(asked, withParts(asked.problem, drawn));
    },
  },
  {
    what: 'identical labels',
    found: ({ problem: { labels = [] } }) =>
      labels.length > 1 && new Set(labels).size === 1
        ? `all ${labels.length} labels are ${labels[0]}`
        : undefined,
    fix: 'give examples of different classes',
    fixed: (asked) => {
      const { labels = [] } = asked.problem;
      const classes = tablesOf(asked.problem).answer.get('logits')?.at(-1)?.size ?? 1;
      return change(asked, { labels: labels.map((label, b) => (label + b) % classes) });
    },
  },
  everyPart('equal upstream', {
    has: (name, own) => /^upstream\.(states$|sequences\.)/.test(name) && isSameAlong(own, 1),
    says: ['is the same at all time steps, as under a plain sum', 'are the same at all time steps'],
    fix: 'let the gradients given for the states change with time',
    other: (own) => (isZero(own) ? random(own.shape, 6, 1) : varied(own, 6)),
  }),
  {
    what: 'nothing masked',
    found: ({ problem: { mask } }) =>
      mask?.data.every((m) => m !== 0) === true ? 'the mask masks no step' : undefined,
    fix: 'mask some steps, different ones in each example',
    fixed: maskedSomewhere,
  },
  {
    what: 'identical masks',
    found: ({ problem: { mask } }) =>
      mask !== undefined && isSameAlong(mask, 0) && mask.data.includes(0)
        ? `all ${mask.shape[0]} examples have the same mask`
        : undefined,
    fix: 'mask different steps in each example',
    fixed: maskedSomewhere,
  },
];

function maskedSomewhere(asked: Asked<AnyProblem>): Asked<AnyProblem> {
  const [batch, timeSteps] = asked.problem.inputs.shape;
  const mask = fill([batch, timeSteps], (b, t) => ((b + t) % 3 === 1 ? 0 : 1));
  return change(asked, { mask });
}

function short(x: number): string {
  return String(Number(x.toPrecision(3)));
}
