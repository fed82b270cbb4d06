import { resembles } from '../../scratch/index';
import { activations, findActivation } from './activations/index';
import { EquationError } from './equation-error';
import {
  callOf,
  numberOf,
  productOf,
  sameColumns,
  sumOf,
  type Axis,
  type Equation,
  type Expression,
  type Term,
} from './expression';
import { knownSigns, tokensOf, type Token } from './tokens';
import type { WeightShape } from './weights';

/** What the formulas may speak of. */
export interface Vocabulary {
  readonly cell: string;
  readonly carries: readonly string[];
  readonly weights: Readonly<Record<string, WeightShape>>;
}

/** An equation, and where its left side stands in the text. */
export interface ParsedEquation extends Equation {
  readonly at: number;
}

/**
 * Reads the formulas of a step, one equation a line, in the order of the computation.
 *
 * @param known quantities that are computed already, with their axes
 * @throws EquationError with line, column and how to write it
 */
export function parseEquations(
  text: string,
  vocabulary: Vocabulary,
  known?: ReadonlyMap<string, Axis>,
): { equations: ParsedEquation[]; axes: ReadonlyMap<string, Axis> } {
  const refuse = (at: number, what: string): never => {
    throw new EquationError(vocabulary.cell, text, at, what);
  };
  return new Parser(tokensOf(text, refuse), vocabulary, refuse, new Map(known)).all();
}

/** Open parentheses that a formula may have: each is a call, and too many overflow the stack. */
const deepest = 200;

class Parser {
  private next = 0;
  private depth = 0;
  private readonly made: ParsedEquation[] = [];

  constructor(
    private readonly tokens: readonly Token[],
    private readonly vocabulary: Vocabulary,
    private readonly refuse: (at: number, what: string) => never,
    private readonly axes: Map<string, Axis>,
  ) {}

  all(): { equations: ParsedEquation[]; axes: ReadonlyMap<string, Axis> } {
    for (;;) {
      while (this.take('\n') !== undefined);
      if (this.peek().kind === 'end') break;
      this.equation();
    }
    return { equations: this.made, axes: this.axes };
  }

  private equation(): void {
    const left = this.peek();
    if (left.kind !== 'now')
      this.refuse(
        left.at,
        `an equation begins with a quantity of this step, as in "h_t = ..."; here stands ${shown(left)}`,
      );
    this.next++;
    const part = this.part();
    const sign = this.peek();
    if (this.take('=') === undefined)
      this.refuse(sign.at, `"=" is expected after ${left.text}_t; here stands ${shown(sign)}`);
    this.checkLeft(left);
    const right = this.expression();
    const end = this.peek();
    if (end.kind !== 'end' && end.text !== '\n')
      this.refuse(
        end.at,
        `an operator or the end of the line is expected; here stands ${shown(end)}; ${knownSigns}`,
      );
    if (right.axis.length === 0)
      this.refuse(left.at, `${left.text}_t would be one number; a quantity has columns`);
    this.define(left, part, right);
  }

  private checkLeft({ text, at }: Token): void {
    const { weights } = this.vocabulary;
    if (text === 'x') this.refuse(at, 'x_t is the input of the step; give the quantity another name');
    if (text in weights || findActivation(text) !== undefined)
      this.refuse(
        at,
        `${text} is a ${text in weights ? 'weight' : 'function'}; give the quantity another name`,
      );
  }

  private define(left: Token, part: Axis | undefined, right: Expression): void {
    const { text: name, at } = left;
    const known = this.axes.get(name) ?? [];
    const own = part ?? (right.axis.length === 1 && right.axis[0] !== 'F' ? ['U'] : right.axis);
    const twice = part === undefined ? known.length > 0 : part.some((block) => known.includes(block));
    if (twice || this.made.some((one) => one.left === name && (one.part === undefined || part === undefined)))
      this.refuse(at, `${name}_t${partText(part)} is defined twice; give the second one another name`);
    if (!sameColumns(own, right.axis))
      this.refuse(
        at,
        `${name}_t${partText(part)} has ${columnsText(own)}, the right side has ${columnsText(right.axis)}`,
      );
    this.axes.set(name, [...known, ...own]);
    this.made.push({ left: name, ...(part !== undefined && { part }), right, at });
  }

  /** term + term - term ... */
  private expression(): Expression {
    const terms: { term: Term; at: number }[] = [];
    let sign: 1 | -1 = this.take('-') === undefined ? 1 : -1;
    if (sign === 1) this.take('+');
    for (;;) {
      const { at } = this.peek();
      terms.push({ term: { sign, of: this.term() }, at });
      if (this.take('+') !== undefined) sign = 1;
      else if (this.take('-') !== undefined) sign = -1;
      else break;
    }
    const [first, ...others] = terms;
    for (const { term, at } of others) {
      const { axis } = first.term.of;
      if (!sameColumns(axis, term.of.axis))
        this.refuse(
          at,
          `this term has ${columnsText(term.of.axis)}, the first one has ${columnsText(axis)}; only equal columns can be added`,
        );
    }
    return sumOf(terms.map(({ term }) => term));
  }

  /** factor ∘ factor ..., or factor · weight */
  private term(): Expression {
    const { at } = this.peek();
    let made = this.factor();
    let used: string | undefined;
    for (;;) {
      const sign = this.peek();
      if (sign.text !== '∘' && sign.text !== '·') return made;
      if (used !== undefined && used !== sign.text)
        this.refuse(sign.at, 'put parentheses: (a ∘ b) · W and a ∘ (b · W) are different');
      used = sign.text;
      this.next++;
      if (sign.text === '·') {
        made = this.timesWeight(made, at);
        continue;
      }
      const second = this.peek();
      const other = this.factor();
      if (!sameColumns(made.axis, other.axis))
        this.refuse(
          second.at,
          `this factor has ${columnsText(other.axis)}, the one before has ${columnsText(made.axis)}; ∘ multiplies equal columns`,
        );
      made = productOf([made, other]);
    }
  }

  private timesWeight(of: Expression, at: number): Expression {
    const token = this.peek();
    const weight = this.vocabulary.weights[token.text] as WeightShape | undefined;
    if (token.kind !== 'name' || weight?.rows === undefined) {
      if (token.kind === 'name' && weight === undefined && this.peek(1).text !== '(')
        this.unknown(token, 'weight', Object.keys(this.vocabulary.weights));
      const hint =
        weight === undefined
          ? 'rows are examples: write x_t · kernel, the weight on the right'
          : `${token.text} is a vector: use ∘`;
      return this.refuse(
        token.at,
        `· multiplies by a matrix of weights, but ${shown(token)} is not one (for element by element use ∘); ${hint}`,
      );
    }
    this.next++;
    const part = this.partOf(weight.columns, token);
    const transposed = this.take('ᵀ') !== undefined;
    const columns = part ?? weight.columns;
    const [inner, outer] = transposed ? [columns, weight.rows] : [weight.rows, columns];
    if (!sameColumns(of.axis, inner) || of.axis.length === 0)
      this.refuse(
        at,
        `${token.text}${partText(part)}${transposed ? 'ᵀ' : ''} has ${columnsText(inner, 'rows')}, what is multiplied by it has ${columnsText(of.axis)}`,
      );
    return {
      op: 'times',
      of,
      weight: token.text,
      ...(part !== undefined && { part }),
      transposed,
      axis: outer,
    };
  }

  private factor(): Expression {
    const token = this.peek();
    this.next++;
    if (token.kind === 'number') {
      if (!Number.isFinite(Number(token.text))) this.refuse(token.at, `${token.text} is beyond float64`);
      return numberOf(Number(token.text));
    }
    if (token.text === '(') {
      if (++this.depth > deepest) this.refuse(token.at, `more than ${deepest} "(" are open; use fewer`);
      const inside = this.closing(token, this.expression());
      this.depth--;
      return inside;
    }
    if (token.kind === 'now' || token.kind === 'before') return this.quantity(token);
    if (token.kind === 'name') {
      const open = this.peek();
      if (open.text !== '(') return this.weight(token);
      const activation = findActivation(token.text);
      if (activation === undefined)
        this.unknown(
          token,
          'function',
          activations.map(({ symbol }) => symbol),
        );
      this.next++;
      return callOf(activation.symbol, this.closing(open, this.expression()));
    }
    return this.refuse(
      token.at,
      `a quantity, a weight, a number or "(" is expected; here stands ${shown(token)}`,
    );
  }

  private closing(open: Token, made: Expression): Expression {
    const end = this.peek();
    if (this.take(')') === undefined)
      this.refuse(
        end.at,
        `")" is expected, to close the "(" of column ${this.columnOf(open)}; here stands ${shown(end)}`,
      );
    return made;
  }

  private quantity(token: Token): Expression {
    const { text: name, kind, at } = token;
    const when = kind === 'now' ? 'now' : 'before';
    if (name === 'x') {
      if (when === 'before')
        this.refuse(
          at,
          'x_(t-1) is not known to the step; carry it: add x̄ to `carries` and the line x̄_t = ...',
        );
      return { op: 'quantity', name, when, axis: ['F'] };
    }
    if (when === 'before') {
      const { carries } = this.vocabulary;
      if (!carries.includes(name))
        this.refuse(
          at,
          `${name}_(t-1) is not handed on by a step, only ${carries.join(', ')}; add "${name}" to \`carries\``,
        );
      if (this.peek().text === '[')
        this.refuse(this.peek().at, `${name} has one block of U columns, so that no part can be taken`);
      return { op: 'quantity', name, when, axis: ['U'] };
    }
    const axis = this.axes.get(name);
    if (axis === undefined) {
      const minus = this.peek().text === '-' && this.peek(1).text === '1';
      const hint =
        minus || this.vocabulary.carries.includes(name) ? `; the step before is written ${name}_(t-1)` : '';
      this.refuse(
        at,
        `${name}_t is not known yet: equations are in the order of the computation${hint === '' ? this.meant(name, [...this.axes.keys()], '_t') : hint}`,
      );
    }
    const part = this.partOf(axis, token);
    return { op: 'quantity', name, when, ...(part !== undefined && { part }), axis: part ?? axis };
  }

  private weight(token: Token): Expression {
    const { weights } = this.vocabulary;
    const shape = weights[token.text] as WeightShape | undefined;
    if (shape === undefined) {
      const carried = this.vocabulary.carries.includes(token.text);
      if (token.text === 'x' || carried || this.axes.has(token.text))
        this.refuse(
          token.at,
          `${token.text} is a quantity: write ${token.text}_t${carried ? ` or ${token.text}_(t-1)` : ''}`,
        );
      this.unknown(token, 'weight', Object.keys(weights));
    }
    if (shape.rows !== undefined)
      this.refuse(
        token.at,
        `${token.text} is a matrix, which multiplies from the right: write ... · ${token.text}`,
      );
    const part = this.partOf(shape.columns, token);
    return {
      op: 'weight',
      name: token.text,
      ...(part !== undefined && { part }),
      axis: part ?? shape.columns,
    };
  }

  private partOf(axis: Axis, whole: Token): Axis | undefined {
    const { at } = this.peek();
    const part = this.part();
    for (const block of part ?? [])
      if (!axis.includes(block))
        this.refuse(at, `${whole.text} has no block ${block}; its blocks are ${axis.join(' ')}`);
    // all blocks in their order are the whole
    return part?.join(' ') === axis.join(' ') ? undefined : part;
  }

  /** [f] or [z r], where there is one */
  private part(): Axis | undefined {
    const open = this.take('[');
    if (open === undefined) return undefined;
    const blocks: string[] = [];
    while (this.take(']') === undefined) {
      const token = this.peek();
      if (token.kind === 'now' || token.kind === 'before' || token.kind !== 'name')
        this.refuse(
          token.at,
          `a block's name is expected, as in z_t[f] or z_t[z r]; here stands ${shown(token)}; the step before is written h_(t-1)`,
        );
      blocks.push(token.text);
      this.next++;
      this.take(',');
    }
    if (blocks.length === 0) this.refuse(open.at, 'no block is named; write z_t for all of them');
    return blocks;
  }

  private unknown({ text, at }: Token, kind: string, names: readonly string[]): never {
    // h_(t+1), h_(t-2)
    if (kind === 'function' && text.endsWith('_'))
      this.refuse(
        at,
        `a step knows ${text}t and ${text}(t-1) alone, no other time step; carry what comes from earlier`,
      );
    return this.refuse(
      at,
      `there is no ${kind} ${text}; known are ${names.join(', ') || 'none'}${this.meant(text, names, '')}`,
    );
  }

  private meant(name: string, names: readonly string[], suffix: string): string {
    const near = names.length > 0 ? resembles(name, names) : undefined;
    return near === undefined ? '' : `; did you mean ${near}${suffix}?`;
  }

  private columnOf({ at }: Token): number {
    let line = 0;
    for (const token of this.tokens) if (token.text === '\n' && token.at < at) line = token.at + 1;
    return at - line + 1;
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)];
  }

  private take(text: string): Token | undefined {
    const token = this.peek();
    if (token.text !== text || token.kind !== 'sign') return undefined;
    this.next++;
    return token;
  }
}

function shown({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  if (text === '\n') return 'the end of the line';
  return `"${text}${kind === 'now' ? '_t' : kind === 'before' ? '_(t-1)' : ''}"`;
}

export function partText(part: Axis | undefined): string {
  return part === undefined ? '' : `[${part.join(' ')}]`;
}

/** `4 x U columns (i f c o)`, `F columns` */
export function columnsText(axis: Axis, what = 'columns'): string {
  if (axis.length === 0) return 'no columns';
  if (axis.length === 1) return `${axis[0] === 'F' ? 'F' : 'U'} ${what}`;
  return `${axis.length} x U ${what} (${axis.join(' ')})`;
}
