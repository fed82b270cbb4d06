import { losses } from '../losses/index';
import type { Matrix } from '../matrix';
import { operations as table, sum, sizeOfTerm, type Moving } from '../operations/index';
import type { Arithmetic } from './arithmetic';
import { rearranging } from './rearranging';

/**
 * Dual numbers a + a′ε with ε² = 0 (Clifford 1873): values and their rates along one direction, forward only. No derived backward
 * equation is used, so that none can hide a mistake here.
 *
 * @param rateOf how fast a number of the problem moves, by its path (`rnn.kernel`); undefined where it stands still
 */
export function dualArithmetic(
  rateOf: (path: string) => Matrix | undefined,
  operations = table,
): Arithmetic<Moving> {
  return {
    given: (path, value, rows) => ({
      value,
      rows,
      columns: value.length / rows,
      rate: rateOf(path) ?? new Float64Array(value.length),
    }),
    sum(terms) {
      const [rows, columns] = sizeOfTerm(terms[0]);
      return { value: sum.value(terms), rows, columns, rate: sum.tangent(terms) };
    },
    apply(name, operands, f) {
      const { value, tangent } = operations[name];
      if (tangent === undefined) throw new Error(`dualArithmetic: ${name} belongs to backward equations`);
      return {
        value: value(operands, f),
        rows: operands[0].rows,
        columns: operands[0].columns,
        rate: tangent(operands, f),
      };
    },
    outer: () => {
      throw new Error('dualArithmetic: weight gradients belong to the backward pass');
    },
    loss(name, logits, target) {
      const { outputs, loss } = losses[name].value(logits, target);
      const still = new Float64Array(outputs.length).fill(NaN); // only the loss is differentiated
      return {
        outputs: { ...logits, value: outputs, rate: still },
        loss: {
          value: Float64Array.of(loss),
          rows: 1,
          columns: 1,
          rate: Float64Array.of(losses[name].tangent(logits, target)),
        },
        dLogits: { ...logits, value: still, rate: still },
      };
    },
    ...rearranging<Moving>(
      ({ value, rate }) => [value, rate],
      ([value, rate], rows, columns) => ({ value, rows, columns, rate }),
    ),
  };
}
