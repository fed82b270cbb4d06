import {
  gradientName,
  inWords,
  operandsOf,
  productOf,
  sumOf,
  within,
  type Cell,
  type Expression,
  type Term,
} from '../../equations/index';
import { changeOf, complementOf, gateFunctions, inOperands, type Change } from './changes';

/**
 * A value of the step that is taken for another one in the step back: σ(z_t[i]) for tanh(z_t[c]), h_(t-1) for c_(t-1), in_c_t for dc_t.
 * What `changesOf` finds by itself (the same quantity at another step, another block, another function) is left out.
 */
export function* mistakenValues(expression: Expression, cell: Cell): Generator<Change> {
  if (expression.op === 'slope' || expression.op === 'call') return;
  if (expression.op !== 'product') {
    yield* inOperands(expression, (operand) => mistakenValues(operand, cell));
    return;
  }
  const others = (factor: Expression): Change[] => [...takenFor(factor, cell), ...arrivingFor(factor, cell)];
  for (const { to, ...change } of inOperands(expression, others))
    yield { ...change, to: productOf(operandsOf(to)) };
}

function* takenFor(factor: Expression, cell: Cell): Generator<Change> {
  const isForward = factor.op === 'quantity' && factor.when !== 'arriving' && cell.axes.has(factor.name);
  const gate = complemented(factor);
  if (gate !== undefined) yield instead(gate, factor);
  if (factor.op !== 'call' && !isForward) return;
  const own = factor.op === 'call' ? factor : callOfQuantity(cell, factor);
  const isGate = own?.op === 'call' && gateFunctions.includes(own.f ?? '');
  if (isGate) yield instead(complementOf(factor), factor);
  if (factor.op === 'call') yield instead({ ...factor, op: 'slope', of: [factor] }, factor, 'slope');
  for (const value of valuesOf(cell)) if (isAnother(value, factor)) yield instead(value, factor);
  const made = cell.equations.find(
    ({ left, part }) => isForward && left === factor.name && part === undefined,
  );
  const terms = made?.right.op === 'sum' ? made.right.terms : [];
  for (const { of } of terms)
    if (of.op === 'weight')
      yield changeOf(
        'bias',
        `${inWords(factor)} is taken without ${inWords(of)}`,
        sumOf(terms.filter((term) => term.of !== of)),
        of,
      );
}

const instead = (to: Expression, factor: Expression, sort: Change['sort'] = 'factor'): Change =>
  changeOf(sort, `${inWords(to)} instead of ${inWords(factor)}`, to, factor);

/** in_c_t instead of dc_t: what arrives at a carry, without what the step itself adds. */
function* arrivingFor(factor: Expression, cell: Cell): Generator<Change> {
  if (factor.op !== 'quantity' || factor.when !== 'now') return;
  const { name } = factor;
  const carry = cell.carries.find((own) => gradientName(own) === name);
  const made = cell.backward.equations.find(({ left }) => left === name);
  if (carry === undefined || made?.right.op !== 'sum') return;
  yield { ...instead({ ...factor, name: carry, when: 'arriving' }, factor), sort: 'carry' };
}

/** Results of functions, named or not, and carries of this step and of the step before. */
function valuesOf({ equations, carries }: Cell): readonly Expression[] {
  const calls = equations.flatMap(({ left, part, right }) =>
    [...within(right)].flatMap((one): readonly Expression[] => {
      if (one.op !== 'call' || one.axis.length !== 1) return [];
      const isCarry = one === right && carries.includes(left);
      return one !== right
        ? [one]
        : isCarry
          ? []
          : [{ op: 'quantity', name: left, when: 'now', ...(part && { part }), axis: one.axis }];
    }),
  );
  const states = carries.flatMap((name) =>
    (['now', 'before'] as const).map((when): Expression => ({ op: 'quantity', name, when, axis: ['U'] })),
  );
  return [...new Map([...calls, ...states].map((one) => [inWords(one), one])).values()];
}

/** Whether it is another value than the factor, and none that stands for it by a change of one of its parts. */
function isAnother(value: Expression, factor: Expression): boolean {
  if (inWords(value) === inWords(factor)) return false;
  if (value.op === 'quantity' && factor.op === 'quantity')
    return value.name !== factor.name && !(value.when === 'before' && factor.when === 'before');
  if (factor.op === 'call' && value.op === 'quantity') return inWords(factor.of[0]) !== inWords(value);
  if (factor.op !== 'call' || value.op !== 'call') return true;
  const [a, b] = [value.of[0], factor.of[0]];
  return value.f !== factor.f || a.op !== 'quantity' || b.op !== 'quantity' || a.name !== b.name;
}

function callOfQuantity({ equations }: Cell, factor: Expression): Expression | undefined {
  return factor.op === 'quantity' && factor.when === 'now'
    ? equations.find(({ left, part }) => left === factor.name && part?.join() === factor.part?.join())?.right
    : undefined;
}

/** g of 1 - g */
function complemented(factor: Expression): Expression | undefined {
  if (factor.op !== 'sum' || factor.terms.length !== 2) return undefined;
  const [one, other] = factor.terms;
  return one.of.op === 'number' && one.of.value === 1 && other.sign < 0 ? other.of : undefined;
}

/**
 * (in_c_t + dh_t ∘ σ(z_t[o])) ∘ tanh′[...]: a factor of one term is applied to another one as well, or to all. In the step back not to what is
 * multiplied by a matrix.
 */
export function* factorsOfOthers(right: Expression, isForward: boolean): Generator<Change> {
  if (right.op !== 'sum') return;
  for (const [i, { sign, of }] of right.terms.entries()) {
    if (of.op !== 'product') continue;
    const others = right.terms.filter((term, j) => j !== i && (isForward || !hasMatrix(term.of)));
    for (const [k, factor] of of.of.entries()) {
      if (factor.op === 'quantity' && (isForward || isGradient(factor))) continue;
      const rest = productOf(of.of.filter((_, j) => j !== k));
      for (const some of others.length > 1 ? [others, ...others.map((one) => [one])] : [others]) {
        if (some.length === 0 || (!isForward && some.length < right.terms.length - 1)) continue;
        const kept = right.terms.filter((term) => term !== right.terms[i] && !some.includes(term));
        const product = productOf([sumOf([...some, { sign, of: rest }]), factor]);
        const words = some.map((term) => inWords(term.of)).join(' and ');
        yield changeOf(
          'carry',
          `the factor ${inWords(factor)} is applied to ${words} as well`,
          sumOf([...kept, { sign: 1, of: product }]),
          factor,
        );
      }
    }
  }
}

const isGradient = ({ name, when }: { name: string; when: string }): boolean =>
  when === 'now' && name.startsWith(gradientName(''));

const hasMatrix = (expression: Expression): boolean =>
  [...within(expression)].some(({ op }) => op === 'times');

/**
 * dh_t · Wᵀ instead of dz_t · Wᵀ, where dz_t = dh_t ∘ tanh′: the gradient behind an operation is used as if it were the one in front of it, in one
 * place alone.
 */
export function* earlierGradients(expression: Expression, cell: Cell): Generator<Change> {
  if (expression.op === 'quantity' && isGradient(expression)) {
    const made = cell.backward.equations.find(
      ({ left, part }) => left === expression.name && part?.join() === expression.part?.join(),
    );
    const { op } = made?.right ?? {};
    if (made === undefined || op !== 'product' || expression.axis.length !== 1) return;
    for (const to of operandsOf(made.right))
      if (to.op === 'quantity' && isGradient(to))
        yield changeOf('factor', `${inWords(to)} instead of ${inWords(expression)}`, to, expression);
    return;
  }
  yield* inOperands(expression, (operand) => earlierGradients(operand, cell));
}

/** One of several terms alone. */
export function* onlyTerms(terms: readonly Term[], to: string): Generator<Change> {
  if (terms.length < 3) return;
  for (const term of terms)
    yield changeOf(
      'carry',
      `of what is sent back to ${to} only ${inWords(term.of)} is`,
      sumOf([term]),
      term.of,
    );
}
