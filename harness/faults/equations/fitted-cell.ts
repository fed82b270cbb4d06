import {
  cellOf,
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
import { clipped, isTimes, largest, timesOf, type Family, type FirstWrong } from './family';
import { complete, splitIntoBlocks } from './forward-faults';
import { withLayer, withValue, type Change, type Recurrent } from './pass-fault';

/** Mistakes with a number in the step of a cell. */
export function cellFamilies(layer: Recurrent, { phase, quantity }: FirstWrong): Family[] {
  if (phase !== 'backward') return forwardFamilies(layer);
  // a weight's gradient alone is no matter of the step
  const isShare = quantity.startsWith('gradients.') && !/^gradients\.(inputs|initial)/.test(quantity);
  return isShare ? [] : backwardFamilies(layer);
}

const timesNumber = (n: number, of: Expression): Expression => productOf([numberOf(n), of]);
const plus = (n: number, of: Expression): Expression => sumOf([of, numberOf(n)].map((one) => ({ sign: 1, of: one })));

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
  const withRight = (at: number, by: (n: number, right: Expression) => Expression): Family['change'] =>
    withEquations((n) =>
      cell.equations.map((own, i) => (i === at ? { ...own, right: by(n, own.right) } : own)),
    );
  return [
    ...cell.equations.flatMap((equation, at): Family[] => {
      const { left, part, right } = equation;
      const title = `${left}_t${partText(part)}`;
      const blocks = right.op === 'sum' ? splitIntoBlocks(cell, equation) : [];
      return [
        family(1, (n) => `${title} ${isTimes(n)}`, withRight(at, timesNumber)),
        ...(right.op === 'sum' ? [family(0, (n) => `${n} is added to ${title}`, withRight(at, plus))] : []),
        ...(blocks.length < 2 ? [] : blocks).map((own, k) =>
          family(
            0,
            (n) => `${n} is added to ${left}_t${partText(own.part)}`,
            withEquations((n) => {
              const split = blocks.map((one, j) => (j === k ? { ...one, right: plus(n, one.right) } : one));
              return cell.equations.flatMap((one, i) => (i === at ? split : [one]));
            }),
          ),
        ),
        ...(cell.carries.includes(left) && isElementwise(right)
          ? [
              family(
                0,
                (n) => `${left}_t keeps ${n} of ${left}_(t-1) and takes the rest from the step: a leaky unit`,
                withRight(at, (n, of) => {
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
        (n) =>
          (_, { weights, ...rest }) => {
            const own = { ...weights[name], [weight]: timesOf(weights[name][weight], n) };
            return { problem: { ...rest, weights: { ...weights, [name]: own } } };
          },
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
    ...cell.carries.map((carry, i) =>
      family(
        Infinity,
        (n) => `${carry}_t is clipped to ±${n}`,
        (n) => () => ({
          observe: (own, value) =>
            own.layer === name && own.name === carry ? withValue(value, (x) => clipped(x, n)) : value,
        }),
        { read: (given) => largest(given.get(i === 0 ? `states.${name}` : `final.${name}.${carry}`)) },
      ),
    ),
  ];
}

function backwardFamilies(layer: Recurrent): Family[] {
  const { name, cell } = layer;
  const { backward } = cell;
  const family = (what: string, quantity: string, make: (n: number) => Partial<BackwardStep>): Family => ({
    right: 1,
    about: { layer: name, phase: 'backward', quantity, page: 'tanh-derivative' },
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
  ];
}
