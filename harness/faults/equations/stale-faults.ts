import {
  inWords,
  operandsOf,
  partText,
  sumOf,
  type Axis,
  type BackwardStep,
  type Block,
  type Cell,
  type Expression,
  type Step,
} from '../../equations/index';
import { inOperands, type CellFault, type Change, type ChangeSteps } from './changes';
import { faultOfBackwardStep, inAllShares, titleOfShare, termsOf } from './backward-faults';

/** A value that the step back reads at another step of the walk. */
interface Stale {
  /** by which the cell's formulas know it */ readonly name: string;
  readonly axis: Axis;
  /** "c_(t-2)" */ readonly words: string;
  readonly of: <V extends Block>(step: Step<V>) => V;
  /** the function whose value is read: a program keeps σ(z), not z */ readonly f?: string;
  /** how many steps later in the walk */ readonly by: 1 | -1;
}

/** Mistakes of an index in the step back: a value of step t+1 or t-1 of the walk is read in one place. */
export function* staleFaults(cell: Cell): Generator<CellFault> {
  const { equations, toBefore, shares } = cell.backward;
  const made = (
    place: string,
    quantity: string,
    { stale, ...change }: StaleChange,
    changed: Partial<BackwardStep>,
  ): CellFault => ({
    ...faultOfBackwardStep(
      { ...cell, axes: new Map([...cell.axes, [stale.name, stale.axis]]) },
      place,
      quantity,
      change,
      changed,
    ),
    steps: edges.map((edge) => holding(stale, edge)),
  });
  for (const [at, { left, part, right }] of equations.entries())
    for (const change of staleIn(right, cell))
      yield made(`${left}_t${partText(part)}`, left, change, {
        equations: equations.map((own, i) => (i === at ? { ...own, right: change.to } : own)),
      });
  for (const [carry, terms] of Object.entries(toBefore))
    for (const change of staleIn(sumOf(terms), cell))
      yield made(`back to ${carry}_(t-1)`, `d${carry}`, change, {
        toBefore: { ...toBefore, [carry]: termsOf(change.to) },
      });
  for (const [at, share] of shares.entries())
    for (const change of share.left === undefined ? [] : staleIn(share.left, cell))
      yield made(titleOfShare(share), `gradients.${share.weight}`, change, {
        shares: shares.map((own, i) => (i === at ? { ...own, left: change.to } : own)),
      });
  for (const { weight, change, shares: all } of inAllShares(cell, (left) => staleIn(left, cell)))
    yield made(`d${weight}`, `gradients.${weight}`, change, { shares: all });
}

interface StaleChange extends Change {
  readonly stale: Stale;
}

function* staleIn(expression: Expression, cell: Cell): Generator<StaleChange> {
  if (expression.op === 'quantity') {
    const { part } = expression;
    for (const stale of stalesOf(expression, cell))
      yield {
        ...{ stale, words: `${stale.words} instead of ${inWords(expression)}`, sort: 'time' },
        to: { op: 'quantity', name: stale.name, when: 'now', ...(part && { part }), axis: expression.axis },
        ...(part?.length === 1 && { gate: part[0] }),
      };
    return;
  }
  const [of] = operandsOf(expression);
  if (expression.op === 'call' && of.op === 'quantity') {
    const { f = '', axis } = expression;
    for (const { stale, ...change } of staleIn(of, cell))
      yield {
        ...change,
        words: `${f}(${stale.words}) instead of ${inWords(expression)}`,
        stale: { ...stale, f, name: `${f} ${stale.name}` },
        to: {
          op: 'quantity',
          name: `${f} ${stale.name}`,
          when: 'now',
          ...(of.part && { part: of.part }),
          axis,
        },
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
  // `h_t instead of h_(t-1)` is another fault, in `changes.ts`
  if (when === 'before')
    return [
      {
        ...{ name: `${name}before`, axis, by: -1 },
        words: `${name}_(t-2)`,
        of: ({ before }) => before[name],
      },
    ];
  const isCarry = cell.carries.includes(name);
  return both.map((by) => ({
    ...{ name: `${name}${by}`, axis, by },
    // `h_(t-1) instead of h_t` is another fault: it reads the initial state at the first step
    words: `${name}_(t${signed(by)})${partText(part)}${isCarry && by < 0 ? ', but not at the first step,' : ''}`,
    of: ({ quantities }) => quantities.get(name, axis, undefined),
  }));
}

const signed = (by: 1 | -1): string => (by > 0 ? '+1' : '-1');

/** What the step at the end of the walk reads: its own value, the value at the other end (as Python's index -1), or a constant. */
const edges = ['own', 'other end', 0, 1] as const;

/** Steps that hold the value of the step after or before. */
function holding({ name, axis, of, by, f }: Stale, edge: (typeof edges)[number]): ChangeSteps {
  return (steps, arithmetic) =>
    steps.map((step, i) => {
      const other = steps[i + by] as (typeof steps)[number] | undefined;
      const read = of(other ?? (edge === 'other end' ? steps[by > 0 ? 0 : steps.length - 1] : step));
      const value = f === undefined ? read : arithmetic.apply('call', [read], f);
      const held =
        other !== undefined || typeof edge === 'string'
          ? value
          : arithmetic.given('', new Float64Array(value.value.length).fill(edge), value.rows);
      return { ...step, quantities: step.quantities.and(name, axis, held) };
    });
}
