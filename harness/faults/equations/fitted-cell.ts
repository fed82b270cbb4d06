import {
  cellOf,
  gradientName,
  isElementwise,
  numberOf,
  partText,
  productOf,
  sumOf,
  type BackwardStep,
  type Cell,
  type Equation,
  type Expression,
} from '../../equations/index';
import { termsOf } from './backward-faults';
import { clipped, customary, isTimes, largest, timesOf, type Family, type FirstWrong } from './family';
import { complete, splitIntoBlocks } from './forward-faults';
import {
  withBlocks,
  withLayer,
  withValue,
  withWeights,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Mistakes with a number in the step of a cell. */
export function cellFamilies(layer: Recurrent, { phase, quantity }: FirstWrong): Family[] {
  if (phase !== 'backward') return forwardFamilies(layer);
  // a wrong gradient of a weight alone is in `groupFamilies`
  const isShare = quantity.startsWith('gradients.') && !/^gradients\.(inputs|initial)/.test(quantity);
  return isShare ? [] : backwardFamilies(layer);
}

const timesNumber = (n: number, of: Expression): Expression => productOf([numberOf(n), of]);
const plus = (n: number, of: Expression): Expression =>
  sumOf([of, numberOf(n)].map((one) => ({ sign: 1, of: one })));

function forwardFamilies(layer: Recurrent): Family[] {
  const { name, cell, reads, integers } = layer;
  const family = (
    right: number,
    words: Family['words'],
    change: Family['change'],
    rest: Partial<Family> = {},
  ): Family => ({
    ...{ right, words, change },
    about: { layer: name, quantity: cell.carries[0], page: 'weights-import' },
    ...rest,
  });
  // differentiated as it is, or with the step back of the right cell
  const withEquations =
    (equations: (n: number) => readonly Equation[]) =>
    (n: number): Change =>
    (network) => {
      const wrong: Cell = complete(cellOf({ ...cell, equations: equations(n) }));
      return [wrong, { ...wrong, backward: cell.backward }].map((own) => ({
        network: withLayer(network, { ...layer, cell: own }),
      }));
    };
  // changes one of `all` equations that equation `at` can be written as: itself, or one for each of its blocks
  const withRight = (
    at: number,
    all: readonly Equation[],
    one: Equation,
    by: (n: number, right: Expression) => Expression,
  ): Family['change'] =>
    withEquations((n) => {
      const changed = all.map((own) => (own === one ? { ...own, right: by(n, own.right) } : own));
      return cell.equations.flatMap((own, i) => (i === at ? changed : [own]));
    });
  return [
    ...cell.equations.flatMap((equation, at): Family[] => {
      const { left, right } = equation;
      const blocks = right.op === 'sum' ? splitIntoBlocks(cell, equation) : [];
      return [
        ...[[equation], ...(blocks.length < 2 ? [] : [blocks])].flatMap((all) =>
          all.flatMap((own) => {
            const title = `${left}_t${partText(own.part)}`;
            return [
              family(1, (n) => `${title} ${isTimes(n)}`, withRight(at, all, own, timesNumber)),
              ...(right.op === 'sum'
                ? [family(0, (n) => `${n} is added to ${title}`, withRight(at, all, own, plus))]
                : []),
            ];
          }),
        ),
        ...(cell.carries.includes(left) && isElementwise(right)
          ? [
              family(
                0,
                (n) => `${left}_t keeps ${n} of ${left}_(t-1) and takes the rest from the step: a leaky unit`,
                withRight(at, [equation], equation, (n, of) => {
                  const before: Expression = { op: 'quantity', name: left, when: 'before', axis: ['U'] };
                  const parts = [timesNumber(1 - n, of), timesNumber(n, before)];
                  return sumOf(parts.map((one) => ({ sign: 1, of: one })));
                }),
              ),
            ]
          : []),
      ];
    }),
    ...Object.keys(cell.weights).map((weight) =>
      family(
        1,
        (n) => `the whole ${weight} ${isTimes(n)}`,
        (n) => (_, problem) => ({ problem: withWeights(problem, name, [weight], (own) => timesOf(own, n)) }),
      ),
    ),
    ...(reads === 'inputs' && integers !== true
      ? [
          family(
            1,
            (n) => `each input ${isTimes(n)}`,
            (n) =>
              (_, { inputs, ...rest }) => ({ problem: { ...rest, inputs: timesOf(inputs, n) } }),
          ),
        ]
      : []),
    ...[...cell.axes.keys()].map((quantity) =>
      family(
        Infinity,
        (n) => `${quantity}_t is clipped to ±${n}`,
        (n) => () => ({ observe: clippedAt(name, quantity, n) }),
        {
          read: (given) => [
            largest(given.get(quantity === cell.carries[0] ? `states.${name}` : `final.${name}.${quantity}`)),
            ...customary,
          ],
        },
      ),
    ),
  ];
}

const clippedAt =
  (layer: string, quantity: string, n: number): NonNullable<Run['observe']> =>
  (place, value) =>
    place.layer === layer && place.name === quantity ? withValue(value, (x) => clipped(x, n)) : value;

function backwardFamilies(layer: Recurrent): Family[] {
  const { name, cell } = layer;
  const { backward } = cell;
  const family = (what: string, quantity: string, make: (n: number) => Partial<BackwardStep>): Family => ({
    right: 1,
    about: {
      ...{ layer: name, phase: 'backward', quantity },
      page: what.startsWith('what is sent') ? 'carry' : 'tanh-derivative',
    },
    words: (n) => `${what} ${isTimes(n)}`,
    change: (n) => () => {
      const wrong = { ...cell, backward: { ...backward, ...make(n) } };
      return { isRightForward: true, cellAt: (own) => (own === name ? wrong : undefined) };
    },
  });
  return [
    ...backward.equations.map(({ left, part }, at) =>
      family(`${left}_t${partText(part)}`, left, (n) => ({
        equations: backward.equations.map((own, i) =>
          i === at ? { ...own, right: timesNumber(n, own.right) } : own,
        ),
      })),
    ),
    ...Object.entries(backward.toBefore).map(([carry, terms]) =>
      family(`what is sent back to ${carry}_(t-1)`, `d${carry}`, (n) => ({
        toBefore: { ...backward.toBefore, [carry]: termsOf(timesNumber(n, sumOf(terms))) },
      })),
    ),
    family('what is sent back to x_t', 'gradients.inputs', (n) => ({
      toInput: termsOf(timesNumber(n, sumOf(backward.toInput))),
    })),
    ...cell.carries.map((carry): Family => {
      const quantity = gradientName(carry);
      return {
        right: Infinity,
        about: { layer: name, phase: 'backward', quantity, page: 'clipping-and-update-order' },
        words: (n) => `${quantity}_t is clipped to ±${n}`,
        read: (given) => [largest(given.get(`gradients.${name}.initial.${carry}`)), ...customary],
        // where it arrives, or where it is sent back
        change:
          (n) =>
          (_, { inputs }) => {
            const last = layer.reversed === true || layer.on === 'last' ? 0 : inputs.shape[1] - 1;
            const clip = clippedAt(name, quantity, n);
            const isRightForward = true as const;
            const finish = withBlocks([`gradients.${name}.initial.${carry}`], (blocks) =>
              blocks.map((block) => withValue(block, (x) => clipped(x, n))),
            );
            return [
              { isRightForward, observe: clip },
              { isRightForward, finish, observe: (at, value) => (at.t === last ? value : clip(at, value)) },
            ];
          },
      };
    }),
  ];
}
