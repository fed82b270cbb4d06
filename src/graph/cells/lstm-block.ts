import type { GraphTensor, Ops } from '../builder/index';
import { sumOfProducts, timesTransposed, transposedOnce, type Cell, type States } from './cell';

/**
 * The LSTM cell of `lstmCell` for tanh and sigmoid, which nearly every LSTM has, with the columns i g f o. TensorFlow has one
 * operation for the whole step, and one for its gradient, all but the product with the recurrent kernel.
 */
export const lstmBlockCell: Cell = {
  states: ['h', 'c'],
  gateOrder: [0, 2, 1, 3],
  parts: [4],
  projects: true,
  keeps: ['x', 'i', 'f', 'o', 'candidate', 'activatedC'],
  rows: { z: 4 },

  constants(g, { kernel, recurrentKernel, bias, units, large }) {
    const block = {
      weights: g.concat([kernel, recurrentKernel], 0),
      bias: bias ?? g.fill(g.mul(units, g.int([4])), g.float(0)),
      peephole: g.fill(units, g.float(0)),
    };
    return {
      forward: block,
      backward: { ...block, ...transposedOnce(g, 'recurrentKernel', recurrentKernel, large) },
    };
  },

  forward(g, { x: [x], before, units }, constants) {
    const zeros = () => g.fill(g.concat([g.slice(g.shape(x), [0], [1]), units], 0), g.float(0));
    const { c, h, ...made } = g.lstmBlockCell(x, given(before, zeros), weightsOf(constants));
    return { after: { h, c }, kept: { x, ...made } };
  },

  backward(g, { h: dh, c: dc }, { before, after, kept }, constants) {
    const zeros = () => g.zerosLike(dh);
    const { x, i, f, o, candidate, activatedC } = kept;
    const made = { i, f, o, candidate, activatedC, c: after.c as GraphTensor };
    const arriving = { dh, dc: dc ?? zeros() };
    const { dz, dcBefore } = g.lstmBlockCellGrad(
      x,
      given(before, zeros),
      weightsOf(constants),
      made,
      arriving,
    );
    return {
      dBefore: { h: timesTransposed(g, dz, constants, 'recurrentKernel'), c: dcBefore },
      rows: { z: dz },
    };
  },

  gradients: (g, { rows: { z }, before }) => ({
    parts: [z],
    recurrentKernel: sumOfProducts(g, before, z),
  }),
};

/** The states before a step, zeros where they are not given. */
function given({ h, c }: States, zeros: () => GraphTensor): { h: GraphTensor; c: GraphTensor } {
  return { h: h ?? zeros(), c: c ?? zeros() };
}

type Block = Parameters<Ops['lstmBlockCell']>[2];

function weightsOf({ weights, bias, peephole }: Readonly<Record<string, GraphTensor>>): Block {
  return { weights, bias, peephole };
}
