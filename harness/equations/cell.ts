import { checkOptions, type OptionNames } from '../../scratch/index';
import type { CellText } from '../base/model';
import { deriveBackward, gradientName, type BackwardStep } from './derive';
import { EquationError } from './equation-error';
import {
  blendOf,
  operandsOf,
  productOf,
  sameExpression,
  sumOf,
  within,
  withOperands,
  type Axis,
  type Equation,
  type Expression,
} from './expression';
import { parseEquations, partText, type ParsedEquation } from './parse';
import type { WeightShape } from './weights';

export type { CellText } from '../base/model';

/** A cell that was read and checked, with its backward step. */
export interface Cell {
  /** what it was read from; absent where it was made of equations */ readonly text?: CellText;
  readonly name: string;
  readonly carries: readonly string[];
  readonly weights: Readonly<Record<string, WeightShape>>;
  readonly equations: readonly Equation[];
  /** the axis of every quantity */ readonly axes: ReadonlyMap<string, Axis>;
  readonly backward: BackwardStep;
}

/**
 * Reads a cell. From its formulas alone follow the backward step, error budgets, emulated runs, local judgement and faults.
 *
 *     const cell = defineCell({
 *       name: 'simple RNN',
 *       carries: ['h'],
 *       weights: { kernel: 'F, U', recurrentKernel: 'U, U', bias: 'U' },
 *       equations: `
 *         z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias
 *         h_t = tanh(z_t)
 *       `,
 *     });
 *
 * @throws EquationError that names the cell, the line and the column, and says how to write it
 * @throws RangeError for a weight's axes or a list of carries that cannot be read
 */
export function defineCell(text: CellText): Cell {
  checkText(text);
  checkOptions(text, textNames, 'defineCell', 'part');
  const weights = Object.fromEntries(
    Object.entries(text.weights).map(([name, axes]) => [name, weightShape(text.name, name, axes)]),
  );
  checkNames(text, weights);
  const parsed = parseEquations(text.equations, { cell: text.name, carries: text.carries, weights });
  const axes = new Map(parsed.axes);
  const blended = parsed.equations.map((one) => ({ ...one, right: recogniseBlends(one.right) }));
  const equations = lift(blended, axes, Object.keys(weights));
  check(text, weights, equations, axes);
  return cellOf({
    name: text.name,
    carries: text.carries,
    weights,
    equations: equations.map(withoutPlace),
    axes,
    text,
  });
}

const textNames: OptionNames<CellText> = { name: true, carries: true, weights: true, equations: true };

/** @throws TypeError where a part is missing, or is no text, list or object */
function checkText(text: Partial<CellText> | undefined): void {
  const { name, carries, weights, equations } = text ?? {};
  const wrong = [
    typeof name === 'string' && name.trim() !== '' ? '' : 'name (a text)',
    Array.isArray(carries) ? '' : "carries (as ['h'])",
    typeof weights === 'object' && (weights as object | null) !== null
      ? ''
      : "weights (as { kernel: 'F, U' })",
    typeof equations === 'string' ? '' : 'equations (one a line)',
  ].filter((part) => part !== '');
  if (wrong.length > 0)
    throw new TypeError(
      `a cell of formulas lacks ${wrong.join(', ')}; write { name, carries, weights, equations }, as docs/equations.md does.`,
    );
}

/** A cell of given equations, with its backward step: also what a faulty cell is made with. */
export function cellOf(parts: Omit<Cell, 'backward'>): Cell {
  return { ...parts, backward: deriveBackward(parts.equations, parts.axes, parts.carries) };
}

/**
 * One formula over the quantities of a cell, their gradients, and others that are given, each [B, U]: `dh_t ∘ (1 - h_t ∘ h_t)`.
 *
 * @throws EquationError as `defineCell`
 */
export function expressionIn(
  { name, carries, weights, axes }: Omit<Cell, 'backward'>,
  formula: string,
  given: readonly string[] = [],
): Expression {
  const known = new Map([
    ...axes,
    ...[...axes].map(([quantity, axis]) => [gradientName(quantity), axis] as const),
    ...given.map((quantity) => [quantity, ['U']] as const),
  ]);
  const { equations } = parseEquations(`made_t = ${formula}`, { cell: name, carries, weights }, known);
  return equations[0].right;
}

function withoutPlace({ left, part, right }: ParsedEquation): Equation {
  return { left, ...(part !== undefined && { part }), right };
}

const blockName = /^\p{L}[\p{L}\p{M}\p{N}]*$/u;

function weightShape(cell: string, name: string, text: string): WeightShape {
  const axes = text.split(',').map((axis) => axis.trim().split(/\s+/));
  const good =
    axes.length <= 2 &&
    axes.every((axis) => axis.every((block) => blockName.test(block)) && new Set(axis).size === axis.length);
  if (!good)
    throw new RangeError(
      `${cell}: the axes of ${name} are ${JSON.stringify(text)}; expected are rows and columns, as in 'F, U' or 'U, i f c o', or columns alone, as in 'U': F stands for the inputs, every other letter for a block of U`,
    );
  const [first, second] = axes;
  return axes.length === 1 ? { columns: first } : { rows: first, columns: second };
}

function checkNames({ name, carries }: CellText, weights: Readonly<Record<string, WeightShape>>): void {
  const wrong = (what: string): never => {
    throw new RangeError(`${name}: ${what}`);
  };
  if (carries.length === 0)
    wrong(
      "carries is empty; name what a step hands on to the next, the layer's output first, as in ['h'] or ['h', 'c']",
    );
  if (new Set(carries).size !== carries.length)
    wrong(`carries names one quantity twice: ${carries.join(', ')}`);
  if (carries.includes('x')) wrong('x_t is the input of a step; carry another quantity');
  for (const weight of Object.keys(weights))
    if (!/^\p{L}[\p{L}\p{M}\p{N}_]*$/u.test(weight) || /_t$/.test(weight) || weight === 'x')
      wrong(
        `${JSON.stringify(weight)} cannot be a weight's name; use letters, digits and _, and no _t at the end`,
      );
}

/** g ∘ a + (1 - g) ∘ b and b + g ∘ (a - b) are one operation, whose error covers every customary way of computing it. */
function recogniseBlends(expression: Expression): Expression {
  const inner = withOperands(expression, operandsOf(expression).map(recogniseBlends));
  if (inner.op !== 'sum' || inner.terms.length !== 2 || inner.terms.some(({ sign }) => sign < 0))
    return inner;
  const [one, other] = inner.terms.map(({ of }) => of);
  return blendIn(one, other) ?? blendIn(other, one) ?? inner;
}

function blendIn(one: Expression, other: Expression): Expression | undefined {
  if (one.op !== 'product') return undefined;
  for (const [i, factor] of one.of.entries()) {
    const rest = one.of.filter((_, j) => j !== i);
    // one = (1 - g) ∘ b, other = g ∘ a
    const gate = complemented(factor);
    if (gate !== undefined && other.op === 'product') {
      const at = other.of.findIndex((candidate) => sameExpression(candidate, gate));
      if (at >= 0) {
        const on = productOf(other.of.filter((_, j) => j !== at));
        return blendOf(gate, on, productOf(rest));
      }
    }
    // one = g ∘ (a - b), other = b
    const off = subtracted(factor);
    if (off !== undefined && rest.length > 0 && sameExpression(off.from, other))
      return blendOf(productOf(rest), off.of, other);
  }
  return undefined;
}

/** g of 1 - g */
function complemented(expression: Expression): Expression | undefined {
  if (expression.op !== 'sum' || expression.terms.length !== 2) return undefined;
  const one = expression.terms.find(({ sign, of }) => sign > 0 && of.op === 'number' && of.value === 1);
  const gate = expression.terms.find(({ sign }) => sign < 0);
  return one === undefined ? undefined : gate?.of;
}

/** a and b of a - b */
function subtracted(expression: Expression): { of: Expression; from: Expression } | undefined {
  if (expression.op !== 'sum' || expression.terms.length !== 2) return undefined;
  const of = expression.terms.find(({ sign }) => sign > 0)?.of;
  const from = expression.terms.find(({ sign }) => sign < 0)?.of;
  return of === undefined || from === undefined ? undefined : { of, from };
}

/**
 * Gives a name to every sum with matrix products that stands inside another operation, as z_t in h_t = tanh(z_t): its gradient is
 * then computed once, and can be looked at.
 */
function lift(
  equations: readonly ParsedEquation[],
  axes: Map<string, Axis>,
  weights: readonly string[],
): ParsedEquation[] {
  const out: ParsedEquation[] = [];
  const freeName = (): string => {
    for (let i = 0; ; i++) {
      const name = i === 0 ? 'z' : `z${i}`;
      if (!axes.has(name) && !weights.includes(name)) return name;
    }
  };
  for (const equation of equations) {
    /** @param free where a sum with matrices has its place: an equation's right side, and the terms of such a sum */
    const visit = (expression: Expression, free: boolean): Expression => {
      const lifted = !free && hasMatrix(expression);
      const inner = withOperands(
        expression,
        operandsOf(expression).map((operand) => visit(operand, (free || lifted) && expression.op === 'sum')),
      );
      if (!lifted) return inner;
      const name = freeName();
      const axis = expression.axis.length === 1 && expression.axis[0] !== 'F' ? ['U'] : expression.axis;
      axes.set(name, axis);
      // no factor of a product any more
      const right = inner.op === 'sum' ? sumOf(inner.terms) : inner;
      out.push({ left: name, right, at: equation.at });
      return { op: 'quantity', name, when: 'now', axis };
    };
    out.push({ ...equation, right: visit(equation.right, true) });
  }
  return out;
}

/** Whether it is a product with a matrix, or a sum in which one is a term. */
function hasMatrix(expression: Expression): boolean {
  return (
    expression.op === 'times' ||
    (expression.op === 'sum' && expression.terms.some(({ of }) => of.op === 'times'))
  );
}

/** That everything is used, once by the same parts, and that every carry is computed. */
function check(
  text: CellText,
  weights: Readonly<Record<string, WeightShape>>,
  equations: readonly ParsedEquation[],
  axes: ReadonlyMap<string, Axis>,
): void {
  const refuse = (at: number, what: string): never => {
    throw new EquationError(text.name, text.equations, at, what);
  };
  const end = text.equations.trimEnd().length;
  for (const name of text.carries) {
    if (!axes.has(name))
      refuse(
        end,
        `there is no equation for ${name}_t, which \`carries\` names; add the line ${name}_t = ...`,
      );
    if (axes.get(name)?.length !== 1 || axes.get(name)?.[0] === 'F')
      refuse(
        equations.find(({ left }) => left === name)?.at ?? end,
        `${name}_t is handed on, so it has U columns; here it has ${String(axes.get(name)?.length)} blocks (${axes.get(name)?.join(' ') ?? ''})`,
      );
  }
  const uses = equations.flatMap(({ right }) => [...within(right)]);
  for (const [name, axis] of axes) {
    const at = equations.find(({ left }) => left === name)?.at ?? end;
    if (axes.has(gradientName(name)))
      refuse(
        at,
        `${gradientName(name)}_t is what the gradient of ${name}_t is called; give one of the two another name`,
      );
    const parts = uses.flatMap((use) =>
      use.op === 'quantity' && use.name === name && use.when === 'now' ? [use.part ?? axis] : [],
    );
    checkParts(`${name}_t`, axis, parts, at, refuse, !text.carries.includes(name));
  }
  for (const [name, { columns }] of Object.entries(weights)) {
    const parts = uses.flatMap((use) => {
      if (use.op === 'weight' && use.name === name) return [use.part ?? columns];
      return use.op === 'times' && use.weight === name ? [use.part ?? columns] : [];
    });
    checkParts(name, columns, parts, end, refuse, true);
  }
  if (!uses.some((use) => use.op === 'quantity' && use.name === 'x'))
    refuse(end, 'no equation uses the inputs x_t');
}

function checkParts(
  name: string,
  axis: Axis,
  parts: readonly Axis[],
  at: number,
  refuse: (at: number, what: string) => never,
  needed: boolean,
): void {
  const different = parts.filter(
    (part, i) => parts.findIndex((other) => other.join(' ') === part.join(' ')) === i,
  );
  for (const [i, part] of different.entries())
    for (const other of different.slice(i + 1))
      if (part.some((block) => other.includes(block)))
        refuse(
          at,
          `${name} is used as ${partText(part)} and as ${partText(other)}, which overlap; use it by the same parts everywhere`,
        );
  const unused = axis.filter((block) => !parts.some((part) => part.includes(block)));
  if (needed && unused.length > 0)
    refuse(
      at,
      `${name}${unused.length < axis.length ? partText(unused) : ''} is never used; use it, or leave it out`,
    );
}
