import type { Kappa } from '../activations/activation';
import { losses } from '../losses/index';
import { operations as table, outer, sum, sizeOfTerm, type Block } from '../operations/index';
import type { Rounding } from '../rounding';
import type { Arithmetic } from './arithmetic';
import { sizeOfOuter } from './exact';
import { rearranging } from './rearranging';

/** Every operation rounded: an honest run of a layer in single precision, or in doubles cut to 45 bits. */
export function roundedArithmetic(kappa: Kappa, rounding: Rounding, operations = table): Arithmetic<Block> {
  return {
    given: (_, value, rows) => ({
      value: value.map(rounding.round),
      rows,
      columns: value.length / rows,
    }),
    sum(terms) {
      const [rows, columns] = sizeOfTerm(terms[0]);
      return { value: sum.rounded(terms, rounding), rows, columns };
    },
    apply: (name, operands, f) => ({
      value: operations[name].rounded(operands, kappa, rounding, f),
      rows: operands[0].rows,
      columns: operands[0].columns,
    }),
    outer: (shares) => ({ value: outer.rounded(shares, rounding), ...sizeOfOuter(shares) }),
    loss(name, logits, target) {
      const { outputs, loss, dLogits } = losses[name].rounded(logits, target, kappa, rounding);
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
