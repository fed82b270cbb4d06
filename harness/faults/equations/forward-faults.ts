import {
  callOf,
  cellOf,
  gradientName,
  inWords,
  isElementwise,
  partText,
  productOf,
  sumOf,
  operandsOf,
  within,
  withOperands,
  type Axis,
  type BackwardStep,
  type Cell,
  type Equation,
  type Expression,
  type Term,
  type WeightShare,
} from '../../equations/index';
import { changesOf, gateFunctions, wholeChanges, zeroLike, type CellFault, type Change } from './changes';
import { factorsOfOthers } from './mistaken-values';
import { surroundingsOf, type Surroundings } from './surroundings';

/** Mistakes in the step forward. */
export function* forwardFaults(cell: Cell): Generator<CellFault> {
  for (const [i, equation] of cell.equations.entries()) {
    const around = surroundingsOf(cell, i);
    for (const change of [...changesOf(equation.right, around), ...factorsOfOthers(equation.right, true)])
      yield forwardFault(cell, equation, change, replaced(cell, i, [{ ...equation, right: change.to }]));
    for (const one of wholeChanges(equation))
      yield forwardFault(cell, equation, one, replaced(cell, i, [{ ...equation, right: one.to }]));
    if (equation.left === cell.carries[0] && isElementwise(equation.right))
      yield forwardFault(
        cell,
        equation,
        { words: 'tanh is applied once more', sort: 'activation' },
        replaced(cell, i, [{ ...equation, right: callOf('tanh', equation.right) }]),
      );
    if (equation.left === cell.carries[0] && isElementwise(equation.right) && remembers(cell)) {
      const before: Expression = { op: 'quantity', name: equation.left, when: 'before', axis: ['U'] };
      yield forwardFault(
        cell,
        equation,
        { words: `${inWords(before)} is added: a residual connection`, sort: 'term' },
        replaced(cell, i, [
          { ...equation, right: sumOf([equation.right, before].map((of) => ({ sign: 1, of }))) },
        ]),
      );
    }
    yield* blockFaults(cell, i, around);
    yield* resetFaults(cell, i);
  }
  yield* orderFaults(cell);
  yield* everywhereFaults(cell);
}

/** Whether it is the value of this carry before the step. */
export function isBefore(one: Expression, carry: string): one is Extract<Expression, { op: 'quantity' }> {
  return one.op === 'quantity' && one.when === 'before' && one.name === carry;
}

/** Whether a step reads what the step before it left: a dense layer does not. */
export function remembers({ equations }: Cell): boolean {
  return equations.some(({ right }) =>
    [...within(right)].some((one) => one.op === 'quantity' && one.when === 'before'),
  );
}

/** A function, or a weight, that is wrong in every place where it is used: a hard sigmoid in all gates, no bias in any of them. */
function* everywhereFaults(cell: Cell): Generator<CellFault> {
  const uses = cell.equations.flatMap(({ right }) => [...within(right)]);
  const fault = (words: string, sort: Change['sort'], change: (right: Expression) => Expression): CellFault =>
    forwardFault(
      cell,
      { left: cell.equations[0].left },
      { words, sort },
      cell.equations.map((own) => ({ ...own, right: change(own.right) })),
    );
  for (const [f, others] of Object.entries(gateOthers))
    if (uses.filter((one) => one.op === 'call' && one.f === f).length > 1)
      for (const other of others)
        yield fault(`${other} instead of ${f} in all gates`, 'activation', (right) =>
          everywhere(right, (one) => (one.op === 'call' && one.f === f ? { ...one, f: other } : one)),
        );
  for (const weight of Object.keys(cell.weights)) {
    const isUse = ({ of }: Term): boolean =>
      (of.op === 'weight' && of.name === weight) || (of.op === 'times' && of.weight === weight);
    const terms = uses.flatMap((one) => (one.op === 'sum' ? one.terms.filter(isUse) : []));
    if (terms.length < 2) continue;
    const inTerms = (change: (term: Term) => readonly Term[]) => (right: Expression) =>
      everywhere(right, (one) =>
        one.op === 'sum' && one.terms.some(isUse)
          ? sumOf(one.terms.flatMap((term) => (isUse(term) ? change(term) : [term])))
          : one,
      );
    const sort = terms.some(({ of }) => of.op === 'weight') ? 'bias' : 'term';
    const title = sort === 'bias' ? weight : `the product with ${weight}`;
    yield fault(
      `${title} is forgotten in all gates`,
      sort,
      inTerms(() => []),
    );
    if (sort === 'bias')
      yield fault(
        `${title} is added twice in all gates`,
        sort,
        inTerms((term) => [term, term]),
      );
  }
}

/** What is taken for a gate's function. */
const gateOthers: Readonly<Record<string, readonly string[]>> = {
  σ: ['hardSigmoid', 'hardSigmoid6', 'tanh'],
  hardSigmoid: ['hardSigmoid6', 'σ'],
  hardSigmoid6: ['hardSigmoid', 'σ'],
};

/** The expression with a change in every place, from the inside outwards. */
export function everywhere(expression: Expression, change: (one: Expression) => Expression): Expression {
  return change(
    withOperands(
      expression,
      operandsOf(expression).map((one) => everywhere(one, change)),
    ),
  );
}

function replaced(cell: Cell, at: number, by: readonly Equation[]): Equation[] {
  return cell.equations.flatMap((own, i) => (i === at ? by : [own]));
}

function forwardFault(
  cell: Cell,
  { left, part }: Pick<Equation, 'left' | 'part'>,
  { words, sort, gate }: Omit<Change, 'to'>,
  equations: readonly Equation[],
): CellFault {
  const own = gate ?? (part?.length === 1 ? part[0] : undefined);
  return {
    name: `${left}_t${partText(part)}: ${words}`,
    sort,
    phase: 'forward',
    quantity: left,
    ...(own !== undefined && { gate: own }),
    text: JSON.stringify(equations),
    cells: () => {
      const wrong = complete(cellOf({ ...cell, equations }));
      return [wrong, { ...wrong, backward: cell.backward }];
    },
  };
}

/** Mistakes in one of the blocks that an equation computes at once: in one gate. */
function* blockFaults(cell: Cell, at: number, around: Surroundings): Generator<CellFault> {
  const split = splitIntoBlocks(cell, cell.equations[at]);
  for (const [k, one] of split.entries()) {
    const gate = one.part?.[0] ?? '';
    const make = (change: Omit<Change, 'gate'>): CellFault =>
      forwardFault(
        cell,
        one,
        { ...change, gate },
        replaced(
          cell,
          at,
          split.map((own, j) => (j === k ? { ...own, right: change.to } : own)),
        ),
      );
    if (split.length > 1)
      for (const change of changesOf(one.right, { ...around, isSplit: true })) yield make(change);
    if (isGate(cell, one.left, gate))
      yield make({
        to: sumOf([
          { sign: 1, of: one.right },
          { sign: 1, of: { op: 'number', value: 1, axis: [] } },
        ]),
        words: `1 is added to ${one.left}_t[${gate}] once more`,
        sort: 'bias',
      });
  }
}

/** Whether the block is the argument of a function with values between 0 and 1. */
function isGate(cell: Cell, name: string, block: string): boolean {
  return cell.equations.some(({ right }) =>
    [...within(right)].some(
      (one) =>
        one.op === 'call' &&
        gateFunctions.includes(one.f ?? '') &&
        one.of[0].op === 'quantity' &&
        one.of[0].name === name &&
        one.of[0].part?.join() === block,
    ),
  );
}

/** The same equation once for every block of its left side; empty where it has one block, or cannot be split. */
export function splitIntoBlocks(cell: Cell, { left, part, right }: Equation): Equation[] {
  const axis = part ?? cell.axes.get(left) ?? [];
  if (axis.length < 2 && part === undefined) return [];
  const made = axis.map((block, k) => ({ left, part: [block], right: blockOf(cell, right, k, axis.length) }));
  return made.flatMap((one) => (one.right === undefined ? [] : [{ ...one, right: one.right }])).length <
    made.length
    ? []
    : made.map(({ right: own, ...rest }) => ({ ...rest, right: own ?? right }));
}

function blockOf(cell: Cell, expression: Expression, k: number, count: number): Expression | undefined {
  const { axis } = expression;
  if (axis.length === 0) return expression;
  if (axis.length !== count) return undefined;
  if (count === 1) return expression;
  const own: Axis = [axis[k]];
  switch (expression.op) {
    case 'quantity':
    case 'weight':
      return expression.op === 'quantity' && expression.when !== 'now'
        ? undefined
        : { ...expression, part: own, axis: own };
    case 'times':
      return expression.transposed ? undefined : { ...expression, part: own, axis: own };
    case 'number':
      return { ...expression, axis: own };
    default: {
      const parts = operandsOf(expression).map((one) => blockOf(cell, one, k, count));
      if (parts.some((one) => one === undefined)) return undefined;
      return {
        ...withOperands(
          expression,
          parts.flatMap((one) => one ?? []),
        ),
        axis: own,
      };
    }
  }
}

/** The reset before the matrix, (r ∘ h) · W, read as after it, r ∘ (h · W), and back. */
function* resetFaults(cell: Cell, at: number): Generator<CellFault> {
  const equation = cell.equations[at];
  const fault = (right: Expression, words: string): CellFault =>
    forwardFault(cell, equation, { words, sort: 'reset' }, replaced(cell, at, [{ ...equation, right }]));
  const terms =
    equation.right.op === 'sum' ? equation.right.terms : [{ sign: 1 as const, of: equation.right }];
  for (const [i, { sign, of }] of terms.entries()) {
    const put = (by: Expression): Expression =>
      sumOf(terms.map((own, j) => (j === i ? { sign, of: by } : own)));
    if (of.op === 'times' && of.of.op === 'product')
      for (const [k, factor] of of.of.of.entries()) {
        if (of.axis.length !== 1 || factor.axis.length !== 1) continue;
        const rest = productOf(of.of.of.filter((_, j) => j !== k));
        if (!('name' in rest) || rest.op !== 'quantity') continue;
        yield fault(
          put(productOf([factor, { ...of, of: rest }])),
          `${inWords(factor)} is multiplied after the product with ${of.weight}${partText(of.part)} instead of before`,
        );
      }
    if (of.op !== 'product') continue;
    for (const [k, factor] of of.of.entries()) {
      if (factor.op !== 'quantity' || factor.when !== 'now') continue;
      const made = cell.equations.find(({ left, part }) => left === factor.name && part === undefined)?.right;
      const inner = made?.op === 'sum' ? made.terms : [];
      if (!inner.some((term) => term.of.op === 'times')) continue;
      const rest = of.of.filter((_, j) => j !== k);
      const moved = inner.map((term) => ({
        sign: term.sign,
        of: term.of.op === 'times' ? { ...term.of, of: productOf([...rest, term.of.of]) } : term.of,
      }));
      const biases = inner.filter((term) => term.of.op === 'weight');
      if (biases.length > 0)
        yield fault(
          put(
            sumOf([
              { sign: 1, of: productOf([...rest, sumOf(inner.filter((term) => !biases.includes(term)))]) },
              ...biases,
            ]),
          ),
          `${biases.map((term) => inWords(term.of)).join(' and ')} is added after the product with ${rest.map(inWords).join(' ∘ ')} instead of before`,
        );
      yield fault(
        put(sumOf(moved)),
        `${rest.map(inWords).join(' ∘ ')} is multiplied before the product in ${factor.name}_t instead of after`,
      );
    }
  }
}

/** Orders of the gates in other frameworks; every exchange of two gates is tried as well. */
const orders: Readonly<Partial<Record<string, readonly [order: string, library: string]>>> = {
  'i f c o': ['i o f c', 'ONNX'],
};

/** The blocks of all weights in another order: two gates exchanged, or the order of another framework. */
function* orderFaults(cell: Cell): Generator<CellFault> {
  const axes = [...new Set(Object.values(cell.weights).map(({ columns }) => columns.join(' ')))];
  for (const text of axes) {
    const axis = text.split(' ');
    if (axis.length < 2 || axis.includes('F')) continue;
    const fault = (order: readonly string[], words: string, gate?: string): CellFault =>
      forwardFault(
        cell,
        cell.equations[0],
        { words, sort: 'gates', ...(gate !== undefined && { gate }) },
        cell.equations.map((one) => ({ ...one, right: permuted(cell, one.right, axis, order) })),
      );
    for (const [i, one] of axis.entries())
      for (const other of axis.slice(i + 1)) {
        const order = axis.map((block) => (block === one ? other : block === other ? one : block));
        yield fault(order, `the weights of ${one} and ${other} are exchanged`);
      }
    const [own, library] = orders[text] ?? ['', ''];
    const [asOwn, readAs] = [own.split(' '), inverse(axis, own.split(' '))];
    if (axis.length < 5)
      for (const order of permutations(axis))
        if (order.filter((block, i) => block !== axis[i]).length > 2)
          yield order.join() === asOwn.join()
            ? fault(order, `the weights are in the order ${own} (${library})`)
            : order.join() === readAs.join()
              ? fault(order, `the weights are read as if they were in the order ${own} (${library})`)
              : fault(order, `the weights are in the order ${order.join(' ')}`);
  }
}

function permutations(axis: Axis): Axis[] {
  if (axis.length < 2) return [axis];
  return axis.flatMap((first) =>
    permutations(axis.filter((block) => block !== first)).map((rest) => [first, ...rest]),
  );
}

function inverse(axis: Axis, order: Axis): string[] {
  return axis.map((block) => axis[order.indexOf(block)]);
}

function permuted(cell: Cell, expression: Expression, axis: Axis, order: Axis): Expression {
  const inner = withOperands(
    expression,
    operandsOf(expression).map((one) => permuted(cell, one, axis, order)),
  );
  if (inner.op !== 'weight' && inner.op !== 'times') return inner;
  const { columns } = cell.weights[inner.op === 'weight' ? inner.name : inner.weight];
  if (columns.join() !== axis.join()) return inner;
  return { ...inner, part: (inner.part ?? columns).map((block) => order[axis.indexOf(block)]) };
}

/** Zeros for gradients that nothing is sent to any more. */
export function complete(cell: Cell): Cell {
  const { equations, shares } = cell.backward;
  const before: Equation[] = [];
  for (const [name, axis] of cell.axes) {
    const left = gradientName(name);
    const made = equations.filter((one) => one.left === left).flatMap(({ part }) => part ?? axis);
    for (const block of axis)
      if (!made.includes(block))
        before.push({ left, ...(axis.length > 1 && { part: [block] }), right: zeroLike({ axis: [block] }) });
  }
  const zeros: WeightShare[] = Object.entries(cell.weights).flatMap(([weight, { rows, columns }]) => {
    const own = shares.filter((one) => one.weight === weight);
    const made = own.flatMap(({ part }) => part ?? columns);
    return columns
      .filter((block) => !made.includes(block))
      .map((block) => zeroShare(weight, rows, columns, block));
  });
  const backward: BackwardStep = {
    ...cell.backward,
    equations: [...before, ...equations],
    shares: [...shares, ...zeros],
  };
  return { ...cell, backward };
}

/** The same share of a weight's gradient, which adds nothing. */
export function emptied(cell: Cell, { weight, part }: WeightShare): WeightShare {
  const { rows, columns } = cell.weights[weight];
  return { ...zeroShare(weight, rows, part ?? columns), ...(part && { part }) };
}

/** A weight's gradient that is zero, or that of one of its blocks. */
export function zeroShare(
  weight: string,
  rows: Axis | undefined,
  columns: Axis,
  block?: string,
): WeightShare {
  return {
    weight,
    ...(block !== undefined && columns.length > 1 && { part: [block] }),
    ...(rows && { left: zeroLike({ axis: rows }) }),
    right: zeroLike({ axis: block === undefined ? columns : [block] }),
  };
}
