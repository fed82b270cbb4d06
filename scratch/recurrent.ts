import type { Cell, CellWeights, Step } from './cells/cell';
import { addRows, multiply, multiplyByTranspose, repeatRow, transposedMultiplyAccumulate } from './kernels';
import type { LayerPass, LayerWeights, Signal } from './layer';

/** How a recurrent layer walks through its input. */
export interface Walk {
  /** U */ readonly units: number;
  /** the output is h_1 .. h_T, otherwise h_T */ readonly returnSequences: boolean;
  /** from the last step of the input to the first; h_1 is then the state after the input's last step */
  readonly goBackwards: boolean;
}

/**
 * The walk through time, once for every cell.
 *
 *     z_t = x_t · kernel + bias     for all t in one product: the steps are stacked, [T·B, F] · [F, G·U]
 *     h_t, c_t = the cell's step    for t = 1..T, from z_t, h_{t-1} and c_{t-1}
 *     masked:                       h_t = h_{t-1},  c_t = c_{t-1}
 *
 * backward:
 *
 *     dz_t    = the cell's step     for t = T..1, from dh_t and dc_t; it adds to dh_{t-1} and dc_{t-1}
 *     masked:                       dh_{t-1} gets dh_t and dc_{t-1} gets dc_t unchanged, and nothing reaches z_t
 *     dKernel = Σ_t x_tᵀ · dz_t     dBias = Σ_t Σ_b dz_t     dx_t = dz_t · kernelᵀ      all steps in one product each
 *
 * h_t is used above the layer and by step t + 1; both add to the same array, which is complete when the walk reaches t.
 *
 * @param weights kernel [F, G·U], recurrentKernel [U, G·U], and bias [G·U], [2, G·U] (the second row is the cell's), or none
 */
export function walkThroughTime<Kept extends string>(
  cell: Cell<Kept>,
  { units, returnSequences, goBackwards }: Walk,
  weights: LayerWeights,
  input: Signal,
): LayerPass {
  const { batch, width: features, timeSteps = 1 } = input;
  const [rows, columns] = [timeSteps * batch, cell.gates.length * units];
  const kernel = weights['kernel'].data;
  const { bias, recurrent } = splitWeights(weights, new Float64Array(columns));
  /** takes the gradients of biases that the layer does not have */ const unread = new Float64Array(columns);
  const { x, dx, mask, turn, turnBack } = readingOrder(input, goBackwards);
  const { all, steps } = makeSteps(cell, batch, timeSteps, units);
  const [first, last] = [steps[0], steps[timeSteps - 1]];
  const hasC = cell.carries.includes('c');

  /** Runs `work` with the bounds of every row that is masked at step t (from 0). */
  const forMasked = (t: number, work: (from: number, to: number) => void): void => {
    if (mask === undefined) return;
    for (let b = 0; b < batch; b++) if (mask[t * batch + b] === 0) work(b * units, (b + 1) * units);
  };

  return {
    output: {
      batch,
      timeSteps: returnSequences ? timeSteps : undefined,
      width: units,
      values: returnSequences ? all.h : last.h,
      gradient: returnSequences ? all.dh : last.dh,
      mask: returnSequences ? mask : undefined,
    },
    initialStates: [
      { values: first.hBefore, gradient: first.dhBefore },
      ...(hasC ? [{ values: first.cBefore, gradient: first.dcBefore }] : []),
    ],
    finalStates: [
      { values: last.h, gradient: last.dh },
      ...(hasC ? [{ values: last.c, gradient: last.dc }] : []),
    ],

    sequences: [{ batch, timeSteps, width: units, values: all.h, gradient: all.dh }],

    forward(fromZeros) {
      turn();
      // z_t = bias + x_t · kernel
      repeatRow(bias, rows, all.z, 0);
      multiply(x, 0, kernel, all.z, 0, rows, features, columns);
      steps.forEach((step, t) => {
        cell.forward(step, recurrent, fromZeros && t === 0);
        // h_t = h_{t-1},  c_t = c_{t-1}    in the rows that are masked at this step
        forMasked(t, (from, to) => {
          copy(step.hBefore, step.h, from, to);
          if (hasC) copy(step.cBefore, step.c, from, to);
        });
      });
    },

    clearGradients() {
      for (const gradients of [first.dhBefore, all.dh, first.dcBefore, all.dc]) gradients.fill(0);
    },

    backward(gradients, toInput) {
      for (let t = timeSteps - 1; t >= 0; t--) {
        const step = steps[t];
        // masked rows: dh_{t-1} += dh_t,  dc_{t-1} += dc_t; the cell then gets zeros, so dz_t = 0
        forMasked(t, (from, to) => {
          moveAll(step.dh, step.dhBefore, from, to);
          if (hasC) moveAll(step.dc, step.dcBefore, from, to);
        });
        cell.backward(step, recurrent, toInput || t > 0);
      }
      const { bias: dBias, recurrent: dRecurrent } = splitWeights(gradients, unread);
      // dKernel += Σ_t x_tᵀ · dz_t,  dBias += Σ_t Σ_b dz_t
      transposedMultiplyAccumulate(x, 0, all.dz, 0, gradients['kernel'].data, features, rows, columns);
      addRows(all.dz, rows, dBias);
      cell.recurrentGradients(all, dRecurrent);
      if (!toInput) return;
      // dx_t += dz_t · kernelᵀ
      multiplyByTranspose(all.dz, 0, kernel, dx, 0, rows, columns, features);
      turnBack();
    },
  };
}

/** A layer without bias, and a cell without a second one, get zeros; the gradient of these zeros is not read. */
function splitWeights(
  weights: LayerWeights,
  absent: Float64Array,
): { readonly bias: Float64Array; readonly recurrent: CellWeights } {
  const columns = absent.length;
  const biases = 'bias' in weights ? weights['bias'].data : absent;
  const two = biases.length > columns;
  return {
    bias: two ? biases.subarray(0, columns) : biases,
    recurrent: {
      recurrentKernel: weights['recurrentKernel'].data,
      recurrentBias: two ? biases.subarray(columns) : absent,
    },
  };
}

/** The arrays of all steps below each other, and the views of each step. */
function makeSteps<Kept extends string>(
  cell: Cell<Kept>,
  batch: number,
  timeSteps: number,
  units: number,
): { readonly all: Step<Kept>; readonly steps: readonly Step<Kept>[] } {
  const step = batch * units;
  const carried = (name: 'h' | 'c') =>
    new Float64Array(cell.carries.includes(name) ? (timeSteps + 1) * step : 0);
  const [h, dh, c, dc] = [carried('h'), carried('h'), carried('c'), carried('c')];
  const blocks: Readonly<Record<string, number>> = {
    z: cell.gates.length,
    dz: cell.gates.length,
    ...cell.keeps,
  };
  const stacks = Object.entries(blocks).map(
    ([name, width]) => [name, width * step, new Float64Array(timeSteps * width * step)] as const,
  );
  /** Steps from + 1 to from + count. */
  const view = (from: number, count: number): Step<Kept> => {
    const part = (states: Float64Array, at: number) => states.subarray(at * step, (at + count) * step);
    const views = {
      rows: count * batch,
      units,
      ...{ hBefore: part(h, from), h: part(h, from + 1), dhBefore: part(dh, from), dh: part(dh, from + 1) },
      ...{ cBefore: part(c, from), c: part(c, from + 1), dcBefore: part(dc, from), dc: part(dc, from + 1) },
    };
    const kept: Record<string, Float64Array> = {};
    for (const [name, size, data] of stacks) kept[name] = data.subarray(from * size, (from + count) * size);
    return { ...views, ...kept } as unknown as Step<Kept>;
  };
  return { all: view(0, timeSteps), steps: Array.from({ length: timeSteps }, (_, t) => view(t, 1)) };
}

/** The input as it is, or with its steps in the opposite order: then `turn` fetches it and `turnBack` hands its gradient on. */
function readingOrder({ batch, timeSteps = 1, width, values, gradient, mask }: Signal, goBackwards: boolean) {
  if (!goBackwards) {
    const nothing = () => undefined;
    return { x: values, dx: gradient, mask, turn: nothing, turnBack: nothing };
  }
  const [x, dx] = [new Float64Array(values.length), new Float64Array(values.length)];
  const turned = mask && new Float64Array(mask.length);
  return {
    x,
    dx,
    mask: turned,
    turn: () => {
      x.fill(0);
      addReversed(values, x, timeSteps, batch * width);
      turned?.fill(0);
      if (mask && turned) addReversed(mask, turned, timeSteps, batch);
    },
    turnBack: () => {
      addReversed(dx, gradient, timeSteps, batch * width);
      dx.fill(0);
    },
  };
}

/** to_t += from_{T+1-t}, `step` numbers a step. */
export function addReversed(from: Float64Array, to: Float64Array, timeSteps: number, step: number): void {
  for (let t = 0; t < timeSteps; t++) {
    const [source, target] = [t * step, (timeSteps - 1 - t) * step];
    for (let i = 0; i < step; i++) to[target + i] += from[source + i];
  }
}

function copy(from: Float64Array, to: Float64Array, start: number, end: number): void {
  for (let i = start; i < end; i++) to[i] = from[i];
}

/** to += from, from = 0. */
function moveAll(from: Float64Array, to: Float64Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    to[i] += from[i];
    from[i] = 0;
  }
}
