import type { Arithmetic } from './arithmetics/arithmetic';
import type { Axis, Expression, Term } from './expression';
import type { Block, SumTerm } from './operations/index';
import type { CellSizes } from './weights';
import { widthOf } from './weights';

/** What arrives at a quantity from later steps and higher layers; where an example was masked, what it was sent back unchanged. */
export interface Arriving<V> {
  readonly terms: readonly SumTerm<V>[];
  readonly masked?: { readonly live: Uint8Array; readonly terms: readonly SumTerm<V>[] };
}

/** The values of a step's names. */
export interface Scope<V> {
  readonly rows: number;
  readonly sizes: CellSizes;
  quantity(name: string, when: 'now' | 'before', part: Axis | undefined): V;
  arriving(name: string): Arriving<V>;
  /** a matrix, or a part of its columns */ weight(name: string, part: Axis | undefined): V;
  /** a vector, or a part of it, once for every row */ vector(name: string, part: Axis | undefined): V;
}

/** The value of an expression in any arithmetic. */
export function evaluate<V extends Block>(
  arithmetic: Arithmetic<V>,
  expression: Expression,
  scope: Scope<V>,
  axis = expression.axis,
): V {
  switch (expression.op) {
    case 'quantity':
      if (expression.when === 'arriving')
        return evaluateTerms(arithmetic, [{ sign: 1, of: expression }], scope, axis);
      return scope.quantity(expression.name, expression.when, expression.part);
    case 'weight':
      return scope.vector(expression.name, expression.part);
    case 'number':
      return constant(arithmetic, expression.value, scope, axis);
    case 'times':
    case 'sum': {
      const terms = expression.op === 'sum' ? expression.terms : [{ sign: 1, of: expression } as const];
      return evaluateTerms(
        arithmetic,
        terms,
        scope,
        axis,
        expression.op === 'sum' && expression.factor === true,
      );
    }
    default:
      return arithmetic.apply(
        expression.op,
        expression.of.map((operand) => evaluate(arithmetic, operand, scope, axis)),
        expression.f ?? '',
      );
  }
}

/** One number in every place. */
export function constant<V extends Block>(
  arithmetic: Arithmetic<V>,
  value: number,
  { rows, sizes }: Pick<Scope<V>, 'rows' | 'sizes'>,
  axis: Axis,
): V {
  return arithmetic.given('', new Float64Array(rows * widthOf(axis, sizes)).fill(value), rows);
}

/** A sum, in which everything that arrives is one sum with the rest: no order of adding is a better one. */
export function evaluateTerms<V extends Block>(
  arithmetic: Arithmetic<V>,
  terms: readonly Term[],
  scope: Scope<V>,
  axis: Axis,
  factor = false,
): V {
  const all: SumTerm<V>[] = [];
  let masked: Arriving<V>['masked'];
  const rest: SumTerm<V>[] = [];
  for (const term of terms) {
    const { of } = term;
    if (of.op === 'quantity' && of.when === 'arriving') {
      const arriving = scope.arriving(of.name);
      masked = arriving.masked && {
        live: arriving.masked.live,
        terms: signed(arriving.masked.terms, term.sign),
      };
      all.push(...signed(arriving.terms, term.sign));
    } else {
      const made = sumTerm(arithmetic, term, scope, axis);
      all.push(made);
      rest.push(made);
    }
  }
  if (all.length === 0) all.push({ sign: 1, of: constant(arithmetic, 0, scope, axis) });
  const whole = sumAll(arithmetic, all, factor);
  return masked === undefined
    ? whole
    : arithmetic.select(masked.live, whole, sumAll(arithmetic, [...masked.terms, ...rest], factor));
}

function signed<V>(terms: readonly SumTerm<V>[], sign: 1 | -1): readonly SumTerm<V>[] {
  return sign > 0 ? terms : terms.map((term) => ({ ...term, sign: term.sign > 0 ? -1 : 1 }));
}

/** One positive block is itself: nothing is computed. */
export function sumAll<V extends Block>(
  arithmetic: Arithmetic<V>,
  terms: readonly SumTerm<V>[],
  factor = false,
): V {
  const [first] = terms;
  return terms.length === 1 && 'of' in first && first.sign === 1 ? first.of : arithmetic.sum(terms, factor);
}

/** A term of a sum; a product with a matrix stays apart in its two factors. */
export function sumTerm<V extends Block>(
  arithmetic: Arithmetic<V>,
  { sign, of }: Term,
  scope: Scope<V>,
  axis: Axis,
): SumTerm<V> {
  if (of.op !== 'times')
    return { sign, of: evaluate(arithmetic, of, scope, axis), ...(of.op === 'weight' && { bias: true }) };
  const left = evaluate(arithmetic, of.of, scope);
  return { sign, left, weight: scope.weight(of.weight, of.part), transposed: of.transposed };
}
