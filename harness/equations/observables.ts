import type { Cell } from './cell';
import { within, type Axis, type Equation } from './expression';

/** A gradient that an opaque layer shows: the inputs are multiplied by these columns of a weight, and dL/d(that product) is this. */
export interface InputGradient {
  readonly weight: string;
  /** which columns of the weight */ readonly columns?: Axis;
  /** `dz`, and which part of it */ readonly gradient: string;
  readonly part?: Axis;
}

/**
 * The gradients that can be obtained from outside: give the layer one more input, always zero, for every column of the weights that its
 * inputs are multiplied by, whose row is the identity there and zero elsewhere. The forward pass does not change, and dL/dx of those
 * inputs is dz_t itself: only products with 0 and 1 are added. Empty where the inputs are used in any other way.
 */
export function inputGradients(cell: Cell): readonly InputGradient[] {
  if (!onlyMultiplied(cell.equations)) return [];
  return cell.backward.shares.flatMap(({ weight, part, left, right }) => {
    if (left?.op !== 'quantity' || left.name !== 'x' || right.op !== 'quantity') return [];
    return [
      {
        weight,
        ...(part !== undefined && { columns: part }),
        gradient: right.name,
        ...(right.part !== undefined && { part: right.part }),
      },
    ];
  });
}

/** Whether x_t is nothing but the left factor of products with weights, so that a layer can be given more inputs. */
function onlyMultiplied(equations: readonly Equation[]): boolean {
  const all = equations.flatMap(({ right }) => [...within(right)]);
  const isInput = (one: (typeof all)[number]): boolean => one.op === 'quantity' && one.name === 'x';
  const products = all.filter((one) => one.op === 'times' && isInput(one.of) && !one.transposed);
  return (
    all.filter(isInput).length === products.length &&
    all.every((one) => isInput(one) || !one.axis.includes('F'))
  );
}
