import { isElementwise, type Expression, type Term } from './expression';
import { operations, sum } from './operations/index';
import { partText } from './parse';
import type { WeightShare } from './derive';

/** An expression as a formula: what the parser reads, and in derived equations f′[...] and ᵀ as well. */
export function inWords(expression: Expression): string {
  switch (expression.op) {
    case 'quantity': {
      const { name, when, part } = expression;
      return { now: `${name}_t`, before: `${name}_(t-1)`, arriving: `in_${name}_t` }[when] + partText(part);
    }
    case 'weight':
      return `${expression.name}${partText(expression.part)}`;
    case 'number':
      return String(expression.value);
    case 'times': {
      const { of, weight, part, transposed } = expression;
      return `${enclosed(of)} · ${weight}${partText(part)}${transposed ? 'ᵀ' : ''}`;
    }
    case 'sum':
      return sum.words(expression.terms.map(({ sign, of }) => ({ sign, of: inWords(of) })));
    default: {
      const { op, of, f = '' } = expression;
      return operations[op].words(of.map(op === 'product' || op === 'blend' ? enclosed : inWords), f);
    }
  }
}

/** In parentheses where it is no single thing. */
function enclosed(expression: Expression): string {
  const words = inWords(expression);
  const single =
    !['sum', 'times'].includes(expression.op) &&
    !(isElementwise(expression) && ['product', 'blend'].includes(expression.op));
  return single ? words : `(${words})`;
}

export function termsInWords(terms: readonly Term[]): string {
  return terms.length === 0 ? '0' : sum.words(terms.map(({ sign, of }) => ({ sign, of: inWords(of) })));
}

/** dkernel += Σ_t (x_t)ᵀ · dz_t */
export function shareInWords({ weight, part, left, right }: WeightShare): string {
  const of = left === undefined ? enclosed(right) : `${enclosed(left)}ᵀ · ${enclosed(right)}`;
  return `d${weight}${partText(part)} += Σ_t ${of}`;
}
