import { losses } from '../losses/index';
import { operations as table, outer, sum, sizeOfTerm, type Block } from '../operations/index';
import type { Arithmetic } from './arithmetic';
import { rearranging } from './rearranging';

/** Float64, formulas as they are written. */
export function exactArithmetic(operations = table): Arithmetic<Block> {
  return {
    given: (_, value, rows) => ({ value, rows, columns: value.length / rows }),
    sum: (terms) => {
      const [rows, columns] = sizeOfTerm(terms[0]);
      return { value: sum.value(terms), rows, columns };
    },
    apply: (name, operands, f) => ({
      value: operations[name].value(operands, f),
      rows: operands[0].rows,
      columns: operands[0].columns,
      ...(name === 'call' && { argument: operands[0].value }),
    }),
    outer: (shares) => ({ value: outer.value(shares), ...sizeOfOuter(shares) }),
    loss(name, logits, target) {
      const { outputs, loss, dLogits } = losses[name].value(logits, target);
      return {
        outputs: { ...logits, value: outputs },
        loss: { value: Float64Array.of(loss), rows: 1, columns: 1 },
        dLogits: { ...logits, value: dLogits },
      };
    },
    ...rearranging<Block>(
      ({ value }) => [value],
      ([value], rows, columns) => ({ value, rows, columns }),
    ),
  };
}

/** [rows, columns] of a weight's gradient. */
export function sizeOfOuter(shares: readonly { readonly left?: Block; readonly right: Block }[]): {
  rows: number;
  columns: number;
} {
  return { rows: shares[0].left?.columns ?? 1, columns: shares[0].right.columns };
}
