import {
  isRecurrent,
  withTensors,
  type Arithmetic,
  type Block,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../../equations/index';
import { clipped, isTimes, largest, timesOf, type Family, type FirstWrong } from './family';
import { scaled, times, withValue, type Run } from './pass-fault';

interface Weight {
  readonly layer: string;
  readonly weight: string;
  readonly isMatrix: boolean;
}

/** Mistakes with a number in the gradients of some weights together, or in a penalty on them. */
export function groupFamilies(network: Network, place: FirstWrong): Family[] {
  const { phase, quantity } = place;
  if (phase !== 'loss' && !quantity.startsWith('gradients.')) return [];
  return groupsOf(network, place).flatMap(([words, weights]): Family[] => {
    const names = weights.map(({ layer, weight }) => `gradients.${layer}.${weight}`);
    const family = (right: number, sentence: Family['words'], change: Family['change']): Family => ({
      about: {
        phase,
        quantity: phase === 'loss' ? 'loss' : `gradients.${weights[0].weight}`,
        page: 'clipping-and-update-order',
      },
      ...{ right, words: sentence, change },
    });
    const numbersOf = ({ weights: all }: NetworkProblem) =>
      weights.map(({ layer, weight }) => all[layer][weight]);
    const decayed = (problem: NetworkProblem, n: number): NonNullable<Run['finish']> =>
      changed(names, (block, arithmetic, _, i) =>
        plus(arithmetic, block, timesOf(numbersOf(problem)[i], n).data),
      );
    if (phase === 'loss')
      return [
        family(
          0,
          (n) => `${n} times the sum of the squares of ${words} is added to the loss (L2)`,
          (n) => (_, problem) => {
            const squares = numbersOf(problem).flatMap(({ data }) => Array.from(data, (x) => x * x));
            const penalty = Float64Array.of(n * squares.reduce((sum, x) => sum + x, 0));
            const finish = changed(['loss'], (block, arithmetic) => plus(arithmetic, block, penalty));
            const both: NonNullable<Run['finish']> = (outcome, arithmetic) =>
              decayed(problem, 2 * n)(finish(outcome, arithmetic), arithmetic);
            return [{ finish: both }, { finish }];
          },
        ),
      ];
    const isRightForward = true;
    return [
      family(
        1,
        (n) => `the gradient of ${words} ${isTimes(n)}`,
        (n) => scaled(names, () => n),
      ),
      family(
        0,
        (n) => `${n} times ${words} is added to the gradient: weight decay, or L2`,
        (n) => (_, problem) => ({ isRightForward, finish: decayed(problem, n) }),
      ),
      {
        ...family(
          Infinity,
          (n) => `the gradient of ${words} is clipped to ±${n}`,
          (n) => () => ({
            isRightForward,
            finish: changed(names, (block) => withValue(block, (x) => clipped(x, n))),
          }),
        ),
        read: (given) => [Math.max(...names.map((name) => largest(given.get(name))))],
      },
      {
        ...family(
          Infinity,
          (n) => `the gradient of ${words} is clipped to the norm ${n}`,
          (n) => () => ({
            isRightForward,
            finish: changed(names, (block, arithmetic, norm) =>
              norm > n ? times(arithmetic, block, n / norm) : block,
            ),
          }),
        ),
        read: (given) => [Math.hypot(...names.flatMap((name) => Array.from(given.get(name)?.data ?? [])))],
      },
    ];
  });
}

/** Each weight of the layer, its matrices, its weights, and those of all layers; of the loss each weight of all. */
function groupsOf(
  network: Network,
  { phase, layer = '' }: FirstWrong,
): (readonly [string, readonly Weight[]])[] {
  const { layers, head } = network;
  const all = [
    ...layers.filter(isRecurrent).flatMap(({ name, cell }) =>
      Object.entries(cell.weights).map(([weight, { rows }]): Weight => ({
        layer: name,
        weight,
        isMatrix: rows !== undefined,
      })),
    ),
    ...(head === undefined || head.direct === true
      ? []
      : ['kernel', 'bias'].map((weight) => ({ layer: 'head', weight, isMatrix: weight === 'kernel' }))),
  ];
  const own = all.filter((one) => one.layer === layer);
  const groups: readonly (readonly [string, readonly Weight[]])[] = [
    ...(phase === 'loss' ? all : own).map((one) => [`the ${one.weight} of ${one.layer}`, [one]] as const),
    [`the matrices of ${layer}`, own.filter(({ isMatrix }) => isMatrix)],
    [`the weights of ${layer}`, own],
    ['all matrices', all.filter(({ isMatrix }) => isMatrix)],
    ['all weights', all],
  ];
  const text = ([, of]: (typeof groups)[number]): string => JSON.stringify(of);
  return groups.filter(
    (group, i) => group[1].length > 0 && groups.findIndex((other) => text(other) === text(group)) === i,
  );
}

/** Tensors of one block each, changed; `norm` is that of all of them together. */
function changed(
  names: readonly string[],
  change: <V extends Block>(block: V, arithmetic: Arithmetic<V>, norm: number, i: number) => V,
): NonNullable<Run['finish']> {
  return <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>): Outcome<V> => {
    const norm = Math.hypot(...names.flatMap((name) => Array.from(outcome.get(name)?.blocks[0].value ?? [])));
    return withTensors(outcome, ({ shape, blocks: [block] }, name) => {
      const i = names.indexOf(name);
      return i < 0 ? undefined : { shape, blocks: [change(block, arithmetic, norm, i)] };
    });
  };
}

function plus<V extends Block>(arithmetic: Arithmetic<V>, block: V, numbers: Float64Array): V {
  const terms = [block, arithmetic.given('', numbers, block.rows)].map((of) => ({ sign: 1 as const, of }));
  return arithmetic.sum(terms, false);
}
