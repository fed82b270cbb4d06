/**
 * The one small language in which the forward and the backward step of a cell are written. A quantity, a weight and every expression
 * have an axis: the blocks that their columns are made of. `F` is a block of the layer's inputs, every other letter a block of U columns.
 */
export type Axis = readonly string[];

/** A sum or difference; terms that are products with a matrix are added in one sum with the rest. */
export interface Term {
  readonly sign: 1 | -1;
  readonly of: Expression;
}

/** Operations that work element by element, and whose rules live in `operations/`. */
export type ElementwiseName = 'product' | 'call' | 'slope' | 'blend';

export type Expression = { readonly axis: Axis } & (
  | {
      /** h_t, h_(t-1), z_t[f]; in derived equations also in_h_t, what arrives at h_t from above and from step t+1 */
      readonly op: 'quantity';
      readonly name: string;
      readonly when: 'now' | 'before' | 'arriving';
      readonly part?: Axis;
    }
  /** a weight used element by element: a bias, a peephole */
  | { readonly op: 'weight'; readonly name: string; readonly part?: Axis }
  | { readonly op: 'number'; readonly value: number }
  /** of · weight, or of · weightᵀ */
  | {
      readonly op: 'times';
      readonly of: Expression;
      readonly weight: string;
      readonly part?: Axis;
      readonly transposed: boolean;
    }
  /** `factor`: the sum is a factor of a product, which may be multiplied out: a ∘ (b - c) or a ∘ b - a ∘ c */
  | { readonly op: 'sum'; readonly terms: readonly Term[]; readonly factor?: boolean }
  /** product: all factors; call: f(z); slope: f′ at f(z), or at z where f(z) does not tell it; blend: g ∘ a + (1 - g) ∘ b */
  | {
      readonly op: ElementwiseName;
      readonly of: readonly Expression[];
      readonly f?: string;
    }
);

export type Elementwise = Extract<Expression, { op: ElementwiseName }>;

/** left_t[part] = right */
export interface Equation {
  readonly left: string;
  readonly part?: Axis;
  readonly right: Expression;
}

/** The axis of a number: it goes with every other. */
export const anyAxis: Axis = [];

/** Whether two expressions can be added or multiplied element by element: equal blocks, or one block of U columns each. */
export function sameColumns(one: Axis, other: Axis): boolean {
  if (one.length === 0 || other.length === 0) return true;
  if (one.length === 1 && other.length === 1) return (one[0] === 'F') === (other[0] === 'F');
  return one.join(' ') === other.join(' ');
}

export function isElementwise(expression: Expression): expression is Elementwise {
  return ['product', 'call', 'slope', 'blend'].includes(expression.op);
}

/** The expressions that an expression is made of, in order. */
export function operandsOf(expression: Expression): readonly Expression[] {
  if (isElementwise(expression)) return expression.of;
  if (expression.op === 'sum') return expression.terms.map(({ of }) => of);
  return expression.op === 'times' ? [expression.of] : [];
}

/** The same expression made of other operands, in the same order. */
export function withOperands(expression: Expression, operands: readonly Expression[]): Expression {
  if (isElementwise(expression)) return { ...expression, of: operands };
  if (expression.op === 'sum')
    return { ...expression, terms: expression.terms.map(({ sign }, i) => ({ sign, of: operands[i] })) };
  return expression.op === 'times' ? { ...expression, of: operands[0] } : expression;
}

/** Every expression within an expression, itself first. */
export function* within(expression: Expression): Generator<Expression> {
  yield expression;
  for (const operand of operandsOf(expression)) yield* within(operand);
}

/** Whether two expressions are the same formula. */
export function sameExpression(one: Expression, other: Expression): boolean {
  return JSON.stringify(one, stable) === JSON.stringify(other, stable);
}

/** Keys in one order, so that two objects built differently are written alike. */
function stable(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const axisOf = (expressions: readonly Expression[]): Axis =>
  expressions.reduce<Axis>((axis, { axis: own }) => (axis.length >= own.length ? axis : own), anyAxis);

export function numberOf(value: number): Expression {
  return { op: 'number', value, axis: anyAxis };
}

/** A sum in which nested sums are opened; one positive term is itself. */
export function sumOf(terms: readonly Term[]): Expression {
  const flat = terms.flatMap(({ sign, of }): readonly Term[] =>
    of.op === 'sum'
      ? of.terms.map((term) => ({ sign: (sign * term.sign) as 1 | -1, of: term.of }))
      : [{ sign, of }],
  );
  if (flat.length === 1 && flat[0].sign === 1) return flat[0].of;
  return { op: 'sum', terms: flat, axis: axisOf(flat.map(({ of }) => of)) };
}

/** A product in which nested products are opened; a factor that is a sum is marked, a factor 1 is left out. */
export function productOf(factors: readonly Expression[]): Expression {
  const flat = factors
    .flatMap((factor) => (factor.op === 'product' ? factor.of : [factor]))
    .filter((factor) => !(factor.op === 'number' && factor.value === 1))
    .map((factor) => (factor.op === 'sum' ? { ...factor, factor: true } : factor));
  if (flat.length === 0) return numberOf(1);
  return flat.length === 1 ? flat[0] : { op: 'product', of: flat, axis: axisOf(flat) };
}

/** g ∘ on + (1 - g) ∘ off */
export function blendOf(gate: Expression, on: Expression, off: Expression): Expression {
  return { op: 'blend', of: [gate, on, off], axis: axisOf([gate, on, off]) };
}

export function callOf(f: string, of: Expression): Expression {
  return { op: 'call', f, of: [of], axis: of.axis };
}
