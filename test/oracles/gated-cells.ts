/**
 * The cells written out as plain loops over numbers, one example at a time, in dual numbers: values and derivatives of each. They know
 * nothing of harness/equations, of scratch/ or of src/, and have no backward pass.
 */
import { add, dual, subtract, sum, tanh, times, type Dual, type Matrix, type Vector } from '../support/dual';

/** One state, or the two of an LSTM, after every time step. */
export interface CellRun {
  readonly h: Matrix;
  readonly c?: Matrix;
}

/** 1 / (1 + e^-z), and its derivative σ (1 - σ) by hand. */
export function sigmoid(z: Dual): Dual {
  const s = 1 / (1 + Math.exp(-z.value));
  return dual(s, s * (1 - s) * z.slope);
}

/** max(0, min(1, 0.2 z + 0.5)) */
export function hardSigmoid(z: Dual): Dual {
  if (z.value < -2.5) return dual(0);
  return z.value > 2.5 ? dual(1) : dual(0.2 * z.value + 0.5, 0.2 * z.slope);
}

/** Element u of x · kernel[:, block], where kernel has blocks of U columns. */
function dot(x: Vector, kernel: Matrix, column: number): Dual {
  return sum(x.map((value, f) => times(value, kernel[f][column])));
}

const one = dual(1);

/** h = tanh(x kernel + h recurrentKernel + bias) */
export function simpleRnnLoop(
  { kernel, recurrentKernel, bias }: { kernel: Matrix; recurrentKernel: Matrix; bias: Vector },
  steps: Matrix,
  start: Vector,
): CellRun {
  const states: Vector[] = [];
  let h = start;
  for (const x of steps) {
    const before = h;
    h = before.map((_, u) => tanh(sum([dot(x, kernel, u), dot(before, recurrentKernel, u), bias[u]])));
    states.push(h);
  }
  return { h: states };
}

/** Blocks i f g o: c = f c + i g, h = o tanh(c) */
export function lstmLoop(
  { kernel, recurrentKernel, bias }: { kernel: Matrix; recurrentKernel: Matrix; bias: Vector },
  steps: Matrix,
  start: { h: Vector; c: Vector },
  gate = sigmoid,
): CellRun {
  const units = start.h.length;
  const states: Vector[] = [];
  const memories: Vector[] = [];
  let { h, c } = start;
  for (const x of steps) {
    const nextH: Dual[] = [];
    const nextC: Dual[] = [];
    for (let u = 0; u < units; u++) {
      const [zi, zf, zg, zo] = [0, 1, 2, 3].map((block) => {
        const column = block * units + u;
        return sum([dot(x, kernel, column), dot(h, recurrentKernel, column), bias[column]]);
      });
      nextC[u] = add(times(gate(zf), c[u]), times(gate(zi), tanh(zg)));
      nextH[u] = times(gate(zo), tanh(nextC[u]));
    }
    [h, c] = [nextH, nextC];
    states.push(h);
    memories.push(c);
  }
  return { h: states, c: memories };
}

/** Blocks z r n; the reset gate acts on the state before it is multiplied. */
export function gruLoop(
  { kernel, recurrentKernel, bias }: { kernel: Matrix; recurrentKernel: Matrix; bias: Vector },
  steps: Matrix,
  start: Vector,
): CellRun {
  const units = start.length;
  const states: Vector[] = [];
  let h = start;
  for (const x of steps) {
    const z: Dual[] = [];
    const resetState: Dual[] = [];
    for (let u = 0; u < units; u++) {
      z[u] = sigmoid(sum([dot(x, kernel, u), dot(h, recurrentKernel, u), bias[u]]));
      const r = sigmoid(
        sum([dot(x, kernel, units + u), dot(h, recurrentKernel, units + u), bias[units + u]]),
      );
      resetState[u] = times(r, h[u]);
    }
    const next: Dual[] = [];
    for (let u = 0; u < units; u++) {
      const column = 2 * units + u;
      const n = tanh(sum([dot(x, kernel, column), dot(resetState, recurrentKernel, column), bias[column]]));
      next[u] = add(times(z[u], h[u]), times(subtract(one, z[u]), n));
    }
    h = next;
    states.push(h);
  }
  return { h: states };
}

/** Blocks z r n; the reset gate acts on the product with the state, which has a bias of its own. */
export function gruResetAfterLoop(
  weights: { kernel: Matrix; recurrentKernel: Matrix; bias: Vector; recurrentBias: Vector },
  steps: Matrix,
  start: Vector,
): CellRun {
  const { kernel, recurrentKernel, bias, recurrentBias } = weights;
  const units = start.length;
  const states: Vector[] = [];
  let h = start;
  for (const x of steps) {
    const next: Dual[] = [];
    for (let u = 0; u < units; u++) {
      const [fromInput, fromState] = [
        [0, 1, 2].map((block) => add(dot(x, kernel, block * units + u), bias[block * units + u])),
        [0, 1, 2].map((block) =>
          add(dot(h, recurrentKernel, block * units + u), recurrentBias[block * units + u]),
        ),
      ];
      const z = sigmoid(add(fromInput[0], fromState[0]));
      const r = sigmoid(add(fromInput[1], fromState[1]));
      const n = tanh(add(fromInput[2], times(r, fromState[2])));
      next[u] = add(times(z, h[u]), times(subtract(one, z), n));
    }
    h = next;
    states.push(h);
  }
  return { h: states };
}

/** Blocks i f g o, and a weight for each of i, f, o through which the gate sees the cell state: o sees the new one. */
export function peepholeLstmLoop(
  weights: { kernel: Matrix; recurrentKernel: Matrix; bias: Vector; peepholes: Vector },
  steps: Matrix,
  start: { h: Vector; c: Vector },
): CellRun {
  const { kernel, recurrentKernel, bias, peepholes } = weights;
  const units = start.h.length;
  const states: Vector[] = [];
  const memories: Vector[] = [];
  let { h, c } = start;
  for (const x of steps) {
    const nextH: Dual[] = [];
    const nextC: Dual[] = [];
    for (let u = 0; u < units; u++) {
      const z = [0, 1, 2, 3].map((block) => {
        const column = block * units + u;
        return sum([dot(x, kernel, column), dot(h, recurrentKernel, column), bias[column]]);
      });
      const i = sigmoid(add(z[0], times(peepholes[u], c[u])));
      const f = sigmoid(add(z[1], times(peepholes[units + u], c[u])));
      nextC[u] = add(times(f, c[u]), times(i, tanh(z[2])));
      const o = sigmoid(add(z[3], times(peepholes[2 * units + u], nextC[u])));
      nextH[u] = times(o, tanh(nextC[u]));
    }
    [h, c] = [nextH, nextC];
    states.push(h);
    memories.push(c);
  }
  return { h: states, c: memories };
}

/** f = σ(x W_f + h U_f + b_f), n = tanh(x W_h + (f h) U_h + b_h), h = (1 - f) h + f n */
export function minimalGatedUnitLoop(
  weights: { W_f: Matrix; U_f: Matrix; b_f: Vector; W_h: Matrix; U_h: Matrix; b_h: Vector },
  steps: Matrix,
  start: Vector,
): CellRun {
  const { W_f, U_f, b_f, W_h, U_h, b_h } = weights;
  const states: Vector[] = [];
  let h = start;
  for (const x of steps) {
    const before = h;
    const f = before.map((_, u) => sigmoid(sum([dot(x, W_f, u), dot(before, U_f, u), b_f[u]])));
    const kept = before.map((value, u) => times(f[u], value));
    h = before.map((value, u) => {
      const n = tanh(sum([dot(x, W_h, u), dot(kept, U_h, u), b_h[u]]));
      return add(times(subtract(one, f[u]), value), times(f[u], n));
    });
    states.push(h);
  }
  return { h: states };
}
