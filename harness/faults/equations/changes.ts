import {
  callOf,
  inWords,
  numberOf,
  operandsOf,
  partText,
  productOf,
  sumOf,
  within,
  withOperands,
  type Arithmetic,
  type Axis,
  type Block,
  type Cell,
  type Expression,
  type Step,
  type Term,
} from '../../equations/index';
import type { Surroundings } from './surroundings';

/** What sort of mistake a change is; docs have a section for each. */
export type Sort =
  | 'term'
  | 'factor'
  | 'activation'
  | 'slope'
  | 'time'
  | 'transpose'
  | 'blend'
  | 'gates'
  | 'bias'
  | 'reset'
  | 'carry'
  | 'share';

/** An expression that is wrong in one place. */
export interface Change {
  readonly to: Expression;
  /** a clause: "the factor σ(z_t[f]) is forgotten" */ readonly words: string;
  readonly sort: Sort;
  /** the gate that is meant, where it is only one */ readonly gate?: string;
}

/** A cell that is wrong in one place. */
export interface CellFault {
  /** "c_t: the factor σ(z_t[f]) is forgotten" */ readonly name: string;
  readonly sort: Sort;
  readonly phase: 'forward' | 'backward';
  readonly quantity: string;
  readonly gate?: string;
  /** with the backward step of the wrong formulas, and with that of the right ones */ readonly cells: () => readonly Cell[];
  /** what is changed, so that two equal faults are known */ readonly text: string;
  /** the steps that the walk back goes over, where they hold more than those of the forward pass; several ways */
  readonly steps?: readonly ChangeSteps[];
}

/** The steps of one layer, in the order in which they ran. */
export type ChangeSteps = <V extends Block>(
  steps: readonly Step<V>[],
  arithmetic: Arithmetic<V>,
) => readonly Step<V>[];

/** Functions with values between 0 and 1. */
export const gateFunctions: readonly string[] = ['σ', 'hardSigmoid', 'hardSigmoid6'];

const others: Readonly<Record<string, readonly string[]>> = {
  tanh: ['σ', 'relu', 'linear'],
  σ: ['tanh', 'hardSigmoid', 'hardSigmoid6', 'linear'],
  hardSigmoid: ['hardSigmoid6', 'σ', 'linear'],
  hardSigmoid6: ['hardSigmoid', 'σ', 'linear'],
  relu: ['tanh', 'linear'],
  linear: ['tanh', 'relu'],
};

/** A change in an expression, which names the one gate that the expression speaks of. */
export function changeOf(sort: Sort, words: string, to: Expression, expression: Expression): Change {
  return { to, words, sort, ...gateOf(expression) };
}

/** Every way of getting one place of an expression wrong. */
export function* changesOf(expression: Expression, around: Surroundings): Generator<Change> {
  yield* changesAt(expression, around);
  const whole = expression.op === 'blend' ? opened(expression) : expression;
  if (whole !== expression) {
    yield* changesOf(whole, around);
    return;
  }
  // f′ at f(z) is computed from z: another f inside would change nothing
  if (expression.op === 'slope' && expression.of[0].op === 'call') {
    const [call] = expression.of;
    for (const change of changesOf(call.of[0], around))
      yield { ...change, to: { ...expression, of: [{ ...call, of: [change.to] }] } };
    return;
  }
  yield* inOperands(expression, (operand) => changesOf(operand, around));
}

/** The changes of every operand, each in its place in the expression. */
export function* inOperands<C extends { readonly to: Expression }>(
  expression: Expression,
  changes: (operand: Expression) => Iterable<C>,
): Generator<C> {
  const operands = operandsOf(expression);
  for (const [i, operand] of operands.entries())
    for (const change of changes(operand)) {
      const changed = operands.map((own, j) => (j === i ? change.to : own));
      yield { ...change, to: withOperands(expression, changed) };
    }
}

function* changesAt(expression: Expression, around: Surroundings): Generator<Change> {
  switch (expression.op) {
    case 'sum':
      yield* termsChanged(expression.terms, expression.factor === true);
      break;
    case 'product':
      for (const [i, factor] of expression.of.entries()) {
        const sort = factor.op === 'slope' ? 'slope' : 'factor';
        const words = inWords(factor);
        const others = expression.of.filter((_, j) => j !== i);
        yield changeOf(sort, `the factor ${words} is forgotten`, productOf(others), factor);
        if (factor.op === 'call')
          yield changeOf(
            sort,
            `the factor ${words} is multiplied twice`,
            productOf([...expression.of, factor]),
            factor,
          );
      }
      break;
    case 'blend': {
      const [gate, on, off] = expression.of;
      const words = inWords(gate);
      yield changeOf(
        'blend',
        `${words} and 1 - ${words} are exchanged`,
        { ...expression, of: [gate, off, on] },
        gate,
      );
      for (const { to, ...change } of changesOf(gate, around))
        yield { ...change, words: `${change.words}, twice`, to: { ...expression, of: [to, on, off] } };
      break;
    }
    case 'call':
      yield* functionsChanged(expression);
      yield* complementsOfOthers(expression, around);
      break;
    case 'slope':
      yield* slopesChanged(expression, around);
      break;
    case 'quantity':
      yield* quantityChanged(expression, around);
      break;
    case 'times': {
      const flipped = transposed(expression, around);
      if (flipped !== undefined)
        yield changeOf(
          'transpose',
          `${expression.weight}${partText(expression.part)} is ${expression.transposed ? 'not ' : ''}transposed`,
          flipped,
          expression,
        );
      yield* weightsChanged(expression, expression.weight, around);
      break;
    }
    case 'weight':
      yield* weightsChanged(expression, expression.name, around);
  }
}

/** One term forgotten, of the wrong sign, or (a bias) added twice. */
export function* termsChanged(terms: readonly Term[], factor = false): Generator<Change> {
  for (const [i, { sign, of }] of terms.entries()) {
    const words = inWords(of);
    const make = (changed: readonly Term[]): Expression => {
      const made = changed.length === 0 ? zeroLike(of) : sumOf(changed);
      return factor && made.op === 'sum' ? { ...made, factor } : made;
    };
    if (terms.length > 1)
      yield changeOf(
        of.op === 'weight' ? 'bias' : 'term',
        `the term ${words} is forgotten`,
        make(terms.filter((_, j) => j !== i)),
        of,
      );
    yield changeOf(
      'term',
      `the term ${words} has the wrong sign`,
      make(terms.map((own, j) => (j === i ? { of, sign: sign > 0 ? -1 : 1 } : own))),
      of,
    );
    if (of.op === 'weight' || (of.op === 'quantity' && of.when === 'arriving'))
      yield changeOf(
        of.op === 'weight' ? 'bias' : 'carry',
        `the term ${words} is added twice`,
        make([...terms, { sign, of }]),
        of,
      );
  }
}

function* functionsChanged(
  expression: Extract<Expression, { op: 'call' | 'product' | 'slope' | 'blend' }>,
): Generator<Change> {
  const [of] = expression.of;
  const { f = '' } = expression;
  for (const other of others[f] ?? [])
    yield changeOf(
      'activation',
      `${other === 'linear' ? inWords(of) : `${other}(${inWords(of)})`} instead of ${inWords(expression)}`,
      other === 'linear' ? of : callOf(other, of),
      of,
    );
}

/** 1 - σ(z_t[i]) instead of σ(z_t[f]): a gate that is coupled to another one. */
function* complementsOfOthers(
  expression: Extract<Expression, { op: 'call' | 'product' | 'slope' | 'blend' }>,
  { blocks }: Surroundings,
): Generator<Change> {
  const { f = '' } = expression;
  const [of] = expression.of;
  if (!gateFunctions.includes(f) || of.op !== 'quantity' || of.part?.length !== 1) return;
  for (const block of blocks.get(of.name) ?? []) {
    if (block === of.part[0]) continue;
    const other = callOf(f, { ...of, part: [block], axis: [block] });
    const words = `1 - ${inWords(other)} instead of ${inWords(expression)}`;
    yield { to: complementOf(other), words, sort: 'gates', gate: of.part[0] };
  }
}

/** 1 - of, a factor of a product. */
export function complementOf(of: Expression): Expression {
  const made = sumOf([
    { sign: 1, of: numberOf(1) },
    { sign: -1, of },
  ]);
  return made.op === 'sum' ? { ...made, axis: of.axis, factor: true } : made;
}

function* slopesChanged(
  expression: Extract<Expression, { op: 'call' | 'product' | 'slope' | 'blend' }>,
  { callOfQuantity, carries }: Surroundings,
): Generator<Change> {
  const [of] = expression.of;
  const { f = '' } = expression;
  const call = of.op === 'quantity' ? callOfQuantity.get(of.name + partText(of.part)) : of;
  const other = { tanh: 'σ', σ: 'tanh' }[f];
  if (call?.op !== 'call' || other === undefined) return;
  const [z] = call.of;
  const zInWords = inWords(z);
  const wrong = (words: string, to: Expression): Change => changeOf('slope', words, to, of);
  yield wrong(`${other}′ instead of ${f}′ at ${zInWords}`, {
    ...expression,
    f: other,
    of: [callOf(other, z)],
  });
  yield wrong(`${f}′ is taken at ${inWords(call)} instead of ${zInWords}`, {
    ...expression,
    of: [callOf(f, call)],
  });
  yield wrong(`${f}′ is computed from ${zInWords} as if that were ${inWords(call)}`, {
    ...expression,
    of: [z],
  });
  const y = inWords(of);
  const one = { sign: 1, of: numberOf(1) } as const;
  if (f === 'tanh') {
    const output: Expression = { op: 'quantity', name: carries[0], when: 'now', axis: ['U'] };
    const isOwn = of.op === 'quantity' && of.name === output.name;
    if (!isOwn)
      yield wrong(`tanh′ is computed from ${inWords(output)} as if that were ${y}`, {
        ...expression,
        of: [output],
      });
    yield wrong(`1 - ${y} instead of 1 - ${y}²`, complementOf(of));
  }
  // from y as the other function's is: 1 - y², and y (1 - y)
  yield f === 'σ'
    ? wrong(`1 - ${y}², as of tanh, instead of σ′ at ${zInWords}`, {
        ...sumOf([one, { sign: -1, of: productOf([of, of]) }]),
        axis: of.axis,
      })
    : wrong(`${y} (1 - ${y}), as of σ, instead of tanh′ at ${zInWords}`, {
        ...productOf([of, sumOf([one, { sign: -1, of }])]),
        axis: of.axis,
      });
}

function* quantityChanged(
  expression: Extract<Expression, { op: 'quantity' }>,
  { known, carries, blocks }: Surroundings,
): Generator<Change> {
  const { name, when, part } = expression;
  if (carries.includes(name) && part === undefined && when !== 'arriving') {
    const to: Expression = { ...expression, when: when === 'now' ? 'before' : 'now' };
    if (when === 'now' || known.includes(name))
      yield { to, words: `${inWords(to)} instead of ${inWords(expression)}`, sort: 'time' };
    if (when === 'before')
      for (const other of carries.filter((carry) => carry !== name)) {
        const made: Expression = { ...expression, name: other };
        yield { to: made, words: `${inWords(made)} instead of ${inWords(expression)}`, sort: 'time' };
      }
  }
  if (when !== 'now' || part?.length !== 1) return;
  for (const block of blocks.get(name) ?? []) {
    if (block === part[0]) continue;
    const to: Expression = { ...expression, part: [block], axis: [block] };
    yield { to, words: `${inWords(to)} instead of ${inWords(expression)}`, sort: 'gates', gate: part[0] };
  }
}

/** Another block of the same weight, or another weight with the same axes. */
function* weightsChanged(
  expression: Extract<Expression, { op: 'times' | 'weight' }>,
  name: string,
  { weights, isSplit }: Surroundings,
): Generator<Change> {
  const { part } = expression;
  const shape = weights[name];
  const blocks = part?.length === 1 ? shape.columns.filter((block) => block !== part[0]) : [];
  const likes = Object.keys(weights).filter(
    (other) => isSplit !== true && other !== name && JSON.stringify(weights[other]) === JSON.stringify(shape),
  );
  const wordsOf = (weight: string, of?: Axis): string =>
    weight + partText(of) + (expression.op === 'times' && expression.transposed ? 'ᵀ' : '');
  for (const [weight, of] of [
    ...blocks.map((block) => [name, [block]] as const),
    ...likes.map((like) => [like, part] as const),
  ])
    yield changeOf(
      'gates',
      `${wordsOf(weight, of)} instead of ${wordsOf(name, part)}`,
      {
        ...expression,
        ...(expression.op === 'times' ? { weight } : { name: weight }),
        ...(of !== undefined && { part: of }),
      },
      expression,
    );
}

/** of · Wᵀ instead of of · W, for a matrix of U rows and blocks of U columns: every block by itself. */
function transposed(
  expression: Extract<Expression, { op: 'times' }>,
  { weights }: Surroundings,
): Expression | undefined {
  const { of, weight, part } = expression;
  const { rows, columns } = weights[weight];
  const own = part ?? columns;
  if (rows?.length !== 1 || own.some((block) => (block === 'F') !== (rows[0] === 'F'))) return undefined;
  if (own.length === 1) return { ...expression, transposed: !expression.transposed };
  if (!expression.transposed || of.op !== 'quantity') return undefined;
  return sumOf(
    own.map((block) => ({
      sign: 1,
      of: {
        ...expression,
        of: { ...of, part: [block], axis: [block] },
        part: [block],
        transposed: false,
      },
    })),
  );
}

/** g ∘ a + (1 - g) ∘ b, whose places can go wrong one by one. */
function opened(expression: Expression): Expression {
  if (expression.op !== 'blend') return expression;
  const [gate, on, off] = expression.of;
  const complement = sumOf([
    { sign: 1, of: { op: 'number', value: 1, axis: [] } },
    { sign: -1, of: gate },
  ]);
  return sumOf([
    { sign: 1, of: productOf([gate, on]) },
    { sign: 1, of: productOf([complement, off]) },
  ]);
}

/** 0 in every place. */
export function zeroLike({ axis }: { readonly axis: Axis }): Expression {
  return { op: 'number', value: 0, axis };
}

/** The one gate that an expression speaks of. */
function gateOf(expression: Expression): { gate?: string } {
  const named = [...within(expression)].flatMap((one): Axis => ('part' in one ? (one.part ?? []) : []));
  return new Set(named).size === 1 ? { gate: named[0] } : {};
}

/** What may go wrong with the right side as a whole. */
export function* wholeChanges({ right }: { readonly right: Expression }): Generator<Change> {
  if (right.op === 'sum') return;
  yield changeOf('term', 'the sign is wrong', sumOf([{ sign: -1, of: right }]), right);
}
