import {
  inWords,
  partText,
  sumOf,
  type Axis,
  type BackwardStep,
  type Block,
  type Cell,
  type Expression,
  type Step,
} from '../../equations/index';
import { inOperands, type CellFault, type ChangeSteps } from './changes';
import { faultOfBackwardStep, titleOfShare, termsOf } from './backward-faults';

/** A value that the step back reads at another step of the walk. */
interface Stale {
  /** by which the cell's formulas know it */ readonly name: string;
  readonly axis: Axis;
  /** "c_(t-2)" */ readonly words: string;
  readonly of: <V extends Block>(step: Step<V>) => V;
  /** how many steps later in the walk */ readonly by: 1 | -1;
}

/** Mistakes of an index in the step back: a value of step t+1 or t-1 of the walk is read in one place; the first and the last step keep their own. */
export function* staleFaults(cell: Cell): Generator<CellFault> {
  const { backward } = cell;
  const fault = (
    place: string,
    quantity: string,
    right: Expression,
    changed: (to: Expression) => Partial<BackwardStep>,
  ): readonly CellFault[] =>
    [...staleIn(right, cell)].map(({ to, stale, from, gate }) => ({
      ...faultOfBackwardStep(
        { ...cell, axes: new Map([...cell.axes, [stale.name, stale.axis]]) },
        place,
        quantity,
        { words: `${stale.words} instead of ${from}`, sort: 'time', ...(gate !== undefined && { gate }) },
        changed(to),
      ),
      steps: holding(stale),
    }));
  for (const [at, { left, part, right }] of backward.equations.entries())
    yield* fault(`${left}_t${partText(part)}`, left, right, (to) => ({
      equations: backward.equations.map((own, i) => (i === at ? { ...own, right: to } : own)),
    }));
  for (const [carry, terms] of Object.entries(backward.toBefore))
    yield* fault(`back to ${carry}_(t-1)`, `d${carry}`, sumOf(terms), (to) => ({
      toBefore: { ...backward.toBefore, [carry]: termsOf(to) },
    }));
  for (const [at, share] of backward.shares.entries())
    if (share.left !== undefined)
      yield* fault(titleOfShare(share), `gradients.${share.weight}`, share.left, (left) => ({
        shares: backward.shares.map((own, i) => (i === at ? { ...own, left } : own)),
      }));
}

function* staleIn(
  expression: Expression,
  cell: Cell,
): Generator<{ to: Expression; stale: Stale; from: string; gate?: string }> {
  if (expression.op === 'quantity') {
    const { part } = expression;
    for (const stale of stalesOf(expression, cell))
      yield {
        ...{ stale, from: inWords(expression) },
        to: { op: 'quantity', name: stale.name, when: 'now', ...(part && { part }), axis: expression.axis },
        ...(part?.length === 1 && { gate: part[0] }),
      };
    return;
  }
  yield* inOperands(expression, (operand) => staleIn(operand, cell));
}

function stalesOf(
  { name, when, part }: Extract<Expression, { op: 'quantity' }>,
  cell: Cell,
): readonly Stale[] {
  if (when === 'arriving') return [];
  const both = [1, -1] as const;
  if (name === 'x')
    return both.map((by) => ({
      ...{ name: `x${by}`, axis: ['F'], by },
      words: `x_(t${signed(by)})`,
      of: ({ input }) => input,
    }));
  const axis = cell.axes.get(name);
  if (axis === undefined) return [];
  // the value before a step is that after the step before: h_t instead of h_(t-1) is another mistake
  if (when === 'before')
    return [
      {
        ...{ name: `${name}before`, axis, by: -1 },
        words: `${name}_(t-2)`,
        of: ({ before }) => before[name],
      },
    ];
  const isCarry = cell.carries.includes(name);
  return both
    .filter((by) => !(isCarry && by < 0))
    .map((by) => ({
      ...{ name: `${name}${by}`, axis, by },
      words: `${name}_(t${signed(by)})${partText(part)}`,
      of: ({ quantities }) => quantities.get(name, axis, undefined),
    }));
}

const signed = (by: 1 | -1): string => (by > 0 ? '+1' : '-1');

/** Steps that hold the value of the step after or before. */
function holding({ name, axis, of, by }: Stale): ChangeSteps {
  return (steps) =>
    steps.map((step, i) => {
      const other = steps.at(Math.min(Math.max(i + by, 0), steps.length - 1)) ?? step;
      return { ...step, quantities: step.quantities.and(name, axis, of(other)) };
    });
}
