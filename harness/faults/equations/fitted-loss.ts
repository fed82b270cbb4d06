import type { Arithmetic, Block, Network } from '../../equations/index';
import { isTimes, type Family, type FirstWrong } from './family';
import { lossTimes, lossWith } from './head-faults';
import { times, withValue, type Change } from './pass-fault';

/** Mistakes with a number in the loss. */
export function lossFamilies({ head }: Network, { phase, layer }: FirstWrong): Family[] {
  const isLoss = phase === 'loss';
  if (head === undefined || (!isLoss && layer !== 'head')) return [];
  const family = (right: number, words: Family['words'], change: Family['change']): Family => ({
    ...{ right, words, change },
    about: { phase, quantity: isLoss ? 'loss' : 'dLogits', page: 'loss', layer: 'head' },
  });
  const factor = (what: string, of: Parameters<typeof lossTimes>[0]): Family =>
    family(
      1,
      (n) => `${what} ${isTimes(n)}`,
      (n) => lossTimes(of, () => n),
    );
  const factors = isLoss
    ? [factor('the loss', 'loss'), factor('the loss, and with it its gradient,', 'both')]
    : [factor('the gradient of the logits', 'dLogits')];
  if (head.loss !== 'softmax') return factors;
  const smoothing = family(
    0,
    (n) => `labels are smoothed by ${n}${isLoss ? '' : ' in the gradient, but not in the loss'}`,
    (n) => smoothed(n, head.classes, isLoss),
  );
  if (!isLoss) return [...factors, smoothing];
  const temperature = family(
    1,
    (n) => `the logits are divided by a temperature of ${n}`,
    (n) => (network, problem) => temperatures(n).flatMap((change) => change(network, problem) ?? []),
  );
  const epsilon = family(
    0,
    (n) => `the loss is -log(p + ${n})`,
    (n) =>
      lossWith((arithmetic, name, logits, target) => {
        const made = arithmetic.loss(name, logits, target);
        const { labels = [], live } = target;
        const { value, columns } = made.outputs;
        const rows = labels.flatMap((label, row) => (live?.[row] === 0 ? [] : [row * columns + label]));
        const loss = rows.reduce((sum, at) => sum - Math.log(value[at] + n), 0) / rows.length;
        return { ...made, loss: withValue(made.loss, () => loss) };
      }),
  );
  return [...factors, smoothing, temperature, epsilon];
}

/** (1 - n) times the loss of the label, and n times the mean of those of all classes. */
function smoothed(n: number, classes: number, isLoss: boolean): ReturnType<typeof lossWith> {
  return lossWith((arithmetic, name, logits, target) => {
    const right = arithmetic.loss(name, logits, target);
    const ofClasses = Array.from({ length: classes }, (_, c) =>
      arithmetic.loss(name, logits, { ...target, labels: new Array<number>(logits.rows).fill(c) }),
    );
    const mixed = <V extends Block>(own: Arithmetic<V>, pick: (one: typeof right) => V): V =>
      own.sum(
        [
          { sign: 1, of: times(own, pick(right), 1 - n) },
          ...ofClasses.map((one) => ({ sign: 1 as const, of: times(own, pick(one), n / classes) })),
        ],
        false,
      );
    return {
      ...right,
      dLogits: mixed(arithmetic, ({ dLogits }) => dLogits),
      ...(isLoss && { loss: mixed(arithmetic, ({ loss }) => loss) }),
    };
  });
}

/**
 * With the gradient of that loss, with that of the right one, and with p - onehot as if the temperature were 1. Without labels the outputs are
 * wrong all the same.
 */
const temperatures = (n: number): readonly Change[] =>
  (['own', 'right', 'undivided'] as const).map((way) => () => ({
    around: <V extends Block>(arithmetic: Arithmetic<V>): Arithmetic<V> => ({
      ...arithmetic,
      loss(name, logits, target) {
        const made = arithmetic.loss(name, times(arithmetic, logits, 1 / n), target);
        if (way === 'undivided') return made;
        const { dLogits } =
          way === 'right'
            ? arithmetic.loss(name, logits, target)
            : { dLogits: times(arithmetic, made.dLogits, 1 / n) };
        return { ...made, dLogits };
      },
    }),
  }));
