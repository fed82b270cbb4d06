import {
  gradientName,
  inWords,
  partText,
  shareInWords,
  sumOf,
  within,
  type BackwardStep,
  type Cell,
  type Equation,
  type Expression,
  type Term,
  type WeightShare,
} from '../../equations/index';
import { changeOf, changesOf, wholeChanges, type CellFault, type Change } from './changes';
import { earlierGradients, factorsOfOthers, mistakenValues, onlyTerms } from './mistaken-values';
import { surroundingsOf, type Surroundings } from './surroundings';
import { emptied, zeroShare } from './forward-faults';

/** Mistakes in the step backward: in its equations, in what it sends on, and in what it adds to the gradients of the weights. */
export function* backwardFaults(cell: Cell): Generator<CellFault> {
  const around = surroundingsOf(cell, cell.equations.length);
  yield* equationFaults(cell, around);
  const { backward } = cell;
  for (const [carry, terms] of Object.entries(backward.toBefore))
    for (const { to, ...change } of [
      ...sentFaults(cell, terms, `${carry}_(t-1)`, around),
      ...mistakenValues(sumOf(terms), cell),
      ...onlyTerms(terms, `${carry}_(t-1)`),
    ])
      yield faultOfBackwardStep(cell, `back to ${carry}_(t-1)`, `d${carry}`, change, {
        toBefore: { ...backward.toBefore, [carry]: termsOf(to) },
      });
  for (const { to, ...change } of sentFaults(cell, backward.toInput, 'x_t', around))
    yield faultOfBackwardStep(cell, 'back to x_t', 'gradients.inputs', change, { toInput: termsOf(to) });
  yield* shareFaults(cell, around);
  for (const { weight, change, shares } of inAllShares(cell, (left) => changesOf(left, around)))
    yield faultOfBackwardStep(cell, `d${weight}`, `gradients.${weight}`, change, { shares });
}

/** A mistake in the step back. */
export function faultOfBackwardStep(
  cell: Cell,
  place: string,
  quantity: string,
  { words, sort, gate }: Omit<Change, 'to'>,
  changed: Partial<BackwardStep>,
): CellFault {
  return {
    name: `${place}: ${words}`,
    sort,
    phase: 'backward',
    quantity,
    ...(gate !== undefined && { gate }),
    text: JSON.stringify(changed),
    cells: () => [{ ...cell, backward: { ...cell.backward, ...changed } }],
  };
}

function* equationFaults(cell: Cell, around: Surroundings): Generator<CellFault> {
  const { equations } = cell.backward;
  const make = (at: number, change: Change, changed: readonly Equation[]): CellFault => {
    const { left, part } = equations[at];
    const own = part?.length === 1 ? part[0] : change.gate;
    return faultOfBackwardStep(
      cell,
      `${left}_t${partText(part)}`,
      left,
      { words: change.words, sort: change.sort, ...(own !== undefined && { gate: own }) },
      { equations: changed },
    );
  };
  const put = (at: number, right: Expression): Equation[] =>
    equations.map((own, i) => (i === at ? { ...own, right } : own));
  for (const [at, equation] of equations.entries()) {
    for (const change of [
      ...changesOf(equation.right, around),
      ...mistakenValues(equation.right, cell),
      ...factorsOfOthers(equation.right, false),
      ...wholeChanges(equation),
    ])
      yield make(at, change, put(at, change.to));
    const { axis } = equation.right;
    yield make(
      at,
      { to: equation.right, words: 'the gradient is zero', sort: 'factor' },
      put(at, { op: 'number', value: 0, axis }),
    );
    if (equation.right.op === 'quantity' && equation.right.when === 'arriving')
      yield make(
        at,
        { to: equation.right, words: `what arrives is added twice`, sort: 'carry' },
        put(at, sumOf([1, 1].map(() => ({ sign: 1, of: equation.right })))),
      );
    for (const [other, { left, part }] of equations.entries()) {
      const pair = other > at && left === equation.left && part?.length === 1 && equation.part?.length === 1;
      if (!pair) continue;
      const swapped = equations.map((own, i) =>
        i === at
          ? { ...equations[other], right: equation.right }
          : i === other
            ? { ...equation, right: equations[other].right }
            : own,
      );
      if (!isInOrder(cell, swapped)) continue;
      yield make(
        at,
        {
          to: equation.right,
          words: `the gradient is exchanged with ${left}_t${partText(part)}`,
          sort: 'gates',
        },
        swapped,
      );
    }
  }
}

/** Whether every gradient is computed before it is used. */
function isInOrder(cell: Cell, equations: readonly Equation[]): boolean {
  const made = new Map<string, string[]>(equations.map(({ left }) => [left, []]));
  return equations.every(({ left, part, right }) => {
    const isKnown = [...within(right)].every((use) => {
      const blocks = use.op === 'quantity' && use.when === 'now' ? made.get(use.name) : undefined;
      return blocks === undefined || use.axis.every((block) => blocks.includes(block));
    });
    const axis = [...cell.axes].find(([name]) => gradientName(name) === left)?.[1] ?? [];
    made.get(left)?.push(...(part ?? axis));
    return isKnown;
  });
}

/** What is sent on to the step before, or to the layer below. */
function* sentFaults(
  cell: Cell,
  terms: readonly Term[],
  to: string,
  around: Surroundings,
): Generator<Change> {
  if (terms.length === 0) return;
  const whole: Expression = { ...sumOf(terms) };
  yield changeOf('carry', `nothing is sent back to ${to}`, noTerms, whole);
  yield changeOf('carry', `what is sent back to ${to} is sent twice`, sumOf([...terms, ...terms]), whole);
  if (whole.op !== 'sum')
    yield changeOf('term', 'the sign is wrong', sumOf([{ sign: -1, of: whole }]), whole);
  yield* changesOf(whole, around);
  yield* earlierGradients(whole, cell);
  for (const [i, { sign, of }] of terms.entries())
    for (const { left, block } of withoutBlock(of))
      yield {
        to: sumOf(terms.map((own, j) => (j === i ? { sign, of: left } : own))),
        words: `gate ${block} sends nothing back to ${to}`,
        sort: 'carry',
        gate: block,
      };
}

/** No term at all: an empty sum. */
const noTerms: Expression = { op: 'sum', terms: [], axis: [] };

/** The terms of an expression, which may be one alone. */
export function termsOf(expression: Expression): readonly Term[] {
  return expression.op === 'sum' ? expression.terms : [{ sign: 1, of: expression }];
}

/** dz_t · Wᵀ without one of the blocks that are added in it. */
function* withoutBlock(expression: Expression): Generator<{ left: Expression; block: string }> {
  if (expression.op !== 'times' || expression.of.op !== 'quantity') return;
  const { of } = expression;
  if (of.axis.length < 2) return;
  const columns = expression.part ?? of.axis;
  for (const [k, block] of columns.entries())
    yield {
      block,
      left: sumOf(
        of.axis.flatMap((own, j) =>
          j === k
            ? []
            : [
                {
                  sign: 1,
                  of: {
                    ...expression,
                    of: { ...of, part: [own], axis: [own] },
                    part: [columns[j]],
                  },
                },
              ],
        ),
      ),
    };
}

/** "drecurrentKernel[h]" */
export function titleOfShare(share: WeightShare): string {
  return shareInWords(share).split(' += ')[0];
}

/** Mistakes in the gradients of the weights. */
function* shareFaults(cell: Cell, around: Surroundings): Generator<CellFault> {
  const { shares } = cell.backward;
  for (const [at, share] of shares.entries()) {
    const { weight, left, right } = share;
    const { rows, columns } = cell.weights[weight];
    const title = titleOfShare(share);
    const part = share.part ?? columns;
    const gate = part.length === 1 && columns.length > 1 ? { gate: part[0] } : {};
    const make = (change: Omit<Change, 'to' | 'sort'>, by: readonly WeightShare[]): CellFault =>
      faultOfBackwardStep(
        cell,
        title,
        `gradients.${weight}`,
        { ...gate, ...change, sort: 'share' },
        {
          shares: shares.flatMap((own, i) => (i === at ? by : [own])),
        },
      );
    yield make({ words: 'the gradient is zero' }, [emptied(cell, share)]);
    yield make({ words: 'the gradient has the wrong sign' }, [
      { ...share, right: sumOf([{ sign: -1, of: right }]) },
    ]);
    yield make({ words: 'the gradient is added twice' }, [
      {
        ...share,
        right: sumOf([
          { sign: 1, of: right },
          { sign: 1, of: right },
        ]),
      },
    ]);
    if (part.length > 1 && right.op === 'quantity')
      for (const [k, block] of part.entries())
        yield make({ words: `gate ${block} adds nothing`, gate: block }, [
          ...part.flatMap((own, j): WeightShare[] => {
            const from = right.axis[j];
            return j === k
              ? [{ ...zeroShare(weight, rows, [block]), part: [block] }]
              : [{ ...share, part: [own], right: { ...right, part: [from], axis: [from] } }];
          }),
        ]);
    if (left !== undefined)
      for (const { to, words, ...rest } of [...changesOf(left, around)])
        yield {
          ...make({ words: `${words}, in ${inWords(left)}ᵀ`, ...gate, ...rest }, [{ ...share, left: to }]),
          sort: rest.sort,
        };
    for (const { to, words, ...rest } of [...changesOf(right, around), ...earlierGradients(right, cell)])
      yield { ...make({ words, ...gate, ...rest }, [{ ...share, right: to }]), sort: rest.sort };
    if (left !== undefined && rows?.length === 1 && rows[0] !== 'F' && part.length === 1)
      yield {
        ...make({ words: 'the gradient is transposed' }, [{ ...share, left: right, right: left }]),
        sort: 'transpose',
      };
  }
}

/** The same mistake in all formulas of one weight's gradient, where it has several. */
export function* inAllShares<C extends { readonly to: Expression; readonly words: string }>(
  { weights, backward: { shares } }: Cell,
  changes: (left: Expression) => Iterable<C>,
): Generator<{ weight: string; change: C; shares: readonly WeightShare[] }> {
  for (const weight of Object.keys(weights)) {
    const found = shares.map(
      (own) =>
        new Map(
          own.weight === weight && own.left !== undefined
            ? [...changes(own.left)].map((change) => [change.words, change])
            : [],
        ),
    );
    for (const [words, change] of new Map(found.flatMap((own) => [...own])))
      if (found.filter((own) => own.has(words)).length > 1)
        yield {
          weight,
          change: { ...change, words: `${words} in all gates` },
          shares: shares.map((own, i) => {
            const left = found[i].get(words)?.to;
            return left === undefined ? own : { ...own, left };
          }),
        };
  }
}
