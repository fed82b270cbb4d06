import type { Tensor } from '../../scratch/index';
import { layeredTables } from '../base/layered';
import { expectedNames, type ByLayer, type LayeredProblem } from '../base/problem';
import { growLayered, makeLayeredProblem } from '../problems/index';
import { weaknessesOfMasks, weaknessesOfNumbers } from './inputs';
import { fewOf, namesOf } from './sizes';
import { isEqual, isSameAlong, isZero, random, varied } from './tensors';
import { change, type Asked, type Weakness } from './weakness';

type LayersWeakness = Weakness<LayeredProblem>;

/** Of two reasons for the same fault the first is reported. */
export const weaknessesOfLayers: readonly LayersWeakness[] = [
  ...fewOf.map(tooFew),
  {
    what: 'no gradient asked for',
    found: (asked) =>
      namesOf(asked).some((name) => name.startsWith('gradients.')) ? undefined : 'no gradient is asked for',
    fix: 'give labels, targets or upstream gradients, and expect the gradients',
    fixed: (asked) => {
      const { labels, targets, upstream } = asked.problem;
      const isAsked = labels !== undefined || targets !== undefined || upstream !== undefined;
      return withNames(asked, isAsked ? {} : { upstream: drawn(asked).upstream });
    },
  },
  // the integers of an embedding have neither signs nor sizes
  ...weaknessesOfNumbers.map((weakness): LayersWeakness => ({
    ...weakness,
    found: (asked, right) =>
      asked.problem.model.layers[0].layer === 'embedding' ? undefined : weakness.found(asked, right),
  })),
  {
    what: 'identical initial states',
    found: ({ problem: { initialStates = [] } }) => {
      const all = tensorsOf(initialStates);
      return all.length > 0 && all.every((state) => !isZero(state) && isSameAlong(state, 0))
        ? `all ${all[0].shape[0]} examples start from the same states`
        : undefined;
    },
    fix: 'give every example different initial states',
    fixed: (asked) =>
      change(asked, {
        initialStates: each(asked.problem.initialStates ?? [], (own, i) => varied(own, i + 4)),
      }),
  },
  {
    what: 'zero initial state',
    found: ({ problem: { initialStates = [] } }) =>
      tensorsOf(initialStates).every(isZero) ? 'every example starts from states of zeros' : undefined,
    fix: 'give initialStates that are not zero',
    fixed: (asked) => {
      const [batch] = asked.problem.inputs.shape;
      const { layers } = layeredTables(asked.problem);
      const initialStates = layers.map(({ states }, i) =>
        Object.fromEntries(
          Object.entries(states).map(([name, units], k) => [
            name,
            random([batch, units], 50 + 7 * i + k, 0.9),
          ]),
        ),
      );
      return change(asked, { initialStates });
    },
  },
  ...weaknessesOfMasks,
  everyWeight('zero bias', (name, own) => /bias/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give biases that are not zero',
    other: (own, i) => random(own.shape, 70 + i, 0.5),
  }),
  everyWeight('zero weights', (name, own) => !/bias/i.test(name) && isZero(own), {
    says: ['is all zero', 'are all zero'],
    fix: 'give weights that are not zero',
    other: (own, i) => random(own.shape, 90 + i, 0.5),
  }),
  everyWeight('equal weights', (_, own) => isEqual(own) && !isZero(own), {
    says: ['is one number repeated', 'are one number repeated'],
    fix: 'give every weight a different number',
    other: (own, i) => varied(own, 110 + i),
  }),
];

/** What a problem may do without; reported for a single problem only, because no problem needs all of it. */
export const absentPartsOfLayers: LayersWeakness = {
  what: 'absent parts',
  found: ({ problem: { labels, targets, upstream } }) => {
    const absent = [
      ...(labels === undefined && targets === undefined ? ['labels or targets'] : []),
      ...(upstream === undefined ? ['upstream gradients'] : []),
    ];
    return absent.length === 0 ? undefined : `it has no ${absent.join(', no ')}`;
  },
  fix: 'give those that your layers should accept',
  fixed: (asked) => {
    const { labels, targets, upstream } = asked.problem;
    const all = drawn(asked);
    const isLossAsked = labels !== undefined || targets !== undefined;
    return withNames(asked, {
      ...(!isLossAsked && all.labels && { labels: all.labels }),
      ...(!isLossAsked && all.targets && { targets: all.targets }),
      ...(upstream === undefined && all.upstream && { upstream: all.upstream }),
    });
  },
};

/** A problem of the same sizes that has all parts. */
function drawn({ problem: { id, model, inputs } }: Asked<LayeredProblem>): LayeredProblem {
  const [batch, timeSteps] = inputs.shape;
  return makeLayeredProblem({ id, model, batch, timeSteps, seed: 31, upstream: true });
}

/** The question with these parts as well, and with the tensors that they add to an answer. */
function withNames(
  asked: Asked<LayeredProblem>,
  more: { readonly [K in keyof LayeredProblem]?: LayeredProblem[K] | undefined },
): Asked<LayeredProblem> {
  const changed = { ...asked, problem: { ...asked.problem, ...more } as LayeredProblem };
  const names = new Set([
    ...namesOf(asked),
    ...expectedNames(changed.problem).filter((name) => name.startsWith('gradients.') || name === 'loss'),
  ]);
  return { ...changed, names: [...names] };
}

function tooFew([size, least, what, says, fix]: (typeof fewOf)[number]): LayersWeakness {
  const axis = size === 'example' ? 0 : 1;
  return {
    what,
    found: ({ problem: { inputs } }) => (inputs.shape[axis] < least ? says(inputs.shape[axis]) : undefined),
    fix,
    fixed: (asked) => change(asked, growLayered(asked.problem, { [size]: size === 'example' ? 3 : 5 })),
  };
}

interface EveryWeight {
  /** after one name, and after several */ readonly says: readonly [one: string, several: string];
  readonly fix: string;
  /** in the place of a tensor that has it */ readonly other: (own: Tensor, i: number) => Tensor;
}

/** What each weight can have by itself. */
function everyWeight(
  what: string,
  has: (name: string, own: Tensor) => boolean,
  { says, fix, other }: EveryWeight,
): LayersWeakness {
  return {
    what,
    found: ({ problem: { weights } }) => {
      const names = weights.flatMap((layer, i) =>
        Object.entries(layer).flatMap(([name, own]) => (has(name, own) ? [`layer${i + 1}.${name}`] : [])),
      );
      return names.length === 0 ? undefined : `${names.join(', ')} ${says[names.length === 1 ? 0 : 1]}`;
    },
    fix,
    fixed: (asked) =>
      change(asked, {
        weights: each(asked.problem.weights, (own, i, name) => (has(name, own) ? other(own, i) : own)),
      }),
  };
}

function tensorsOf(layers: ByLayer): Tensor[] {
  return layers.flatMap((layer) => Object.values(layer));
}

function each(layers: ByLayer, next: (own: Tensor, i: number, name: string) => Tensor): ByLayer {
  let count = 0;
  return layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, own]) => [name, next(own, count++, name)])),
  );
}
