import { toNested, type NestedArray, type Tensor } from '../../scratch/index';
import { sizesOf, type Evaluation, type Problem } from '../../harness/base/problem';

type Row = readonly number[];
type Rows = readonly Row[];

/**
 * The simple RNN with its output layer in plain rows, one method an equation: an implementation that shares no arithmetic with any other,
 * and that a test may get wrong in one place.
 */
export class HandNetwork {
  readonly timeSteps: number;
  readonly kernel: Rows;
  readonly recurrentKernel: Rows;
  readonly bias: Row;
  readonly inputs: readonly Rows[];
  readonly states: Row[][] = [];

  constructor(readonly problem: Problem) {
    const { weights, inputs } = problem;
    this.timeSteps = sizesOf(problem).timeSteps;
    this.inputs = toNested(inputs) as readonly Rows[];
    this.kernel = rowsOf(weights.kernel);
    this.recurrentKernel = rowsOf(weights.recurrentKernel);
    this.bias = toNested(weights.bias) as Row;
  }

  evaluate(): Evaluation {
    const { problem, inputs, bias } = this;
    const { weights, labels, upstream } = problem;
    inputs.forEach((_, b) => this.forward(b));
    const final = this.states.map((rows) => rows[this.timeSteps - 1]);
    const outputKernel = weights.outputKernel && rowsOf(weights.outputKernel);
    const outputBias: Row = weights.outputBias ? (toNested(weights.outputBias) as Row) : [];
    const logits = outputKernel && final.map((h) => add(times(h, outputKernel), outputBias));
    const p = logits && this.softmax(logits);
    const dLogits =
      labels && p?.map((row, b) => row.map((x, c) => (x - Number(c === labels[b])) / inputs.length));
    const forward: Evaluation = {
      states: tensor(this.states),
      finalState: tensor(final),
      ...(logits && p && { logits: tensor(logits), probabilities: tensor(p) }),
      ...(logits && labels && { loss: { data: Float64Array.of(lossOf(logits, labels)), shape: [] } }),
    };
    if (dLogits === undefined && upstream === undefined) return this.finish(forward);
    const dFinal = dLogits?.map((dy) => times(dy, transpose(outputKernel ?? [])));
    const zero = (rows: number, columns: number): number[][] =>
      Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
    const [dKernel, dRecurrentKernel] = [
      zero(this.kernel.length, bias.length),
      zero(bias.length, bias.length),
    ];
    const dBias = bias.map(() => 0);
    const walks = inputs.map((_, b) =>
      this.backward(b, dFinal?.[b], (t, dz) => {
        accumulate(dKernel, inputs[b][t], dz);
        accumulate(dRecurrentKernel, this.stateBefore(b, t), dz);
        dz.forEach((d, u) => (dBias[u] += d));
      }),
    );
    const dOutputKernel = zero(outputKernel?.length ?? 0, outputBias.length);
    dLogits?.forEach((dy, b) => accumulate(dOutputKernel, final[b], dy));
    return this.finish({
      ...forward,
      gradients: {
        ...{ kernel: tensor(dKernel), recurrentKernel: tensor(dRecurrentKernel), bias: tensor(dBias) },
        inputs: tensor(walks.map(({ dInputs }) => dInputs)),
        initialState: tensor(walks.map(({ dInitial }) => dInitial)),
        ...(dLogits && {
          outputKernel: tensor(dOutputKernel),
          outputBias: tensor(outputBias.map((_, c) => dLogits.reduce((sum, dy) => sum + dy[c], 0))),
        }),
      },
    });
  }

  /** h_t = tanh(z_t); a masked step keeps the state */
  private forward(b: number): void {
    this.states[b] = [];
    for (let t = 0; t < this.timeSteps; t++) {
      const before = this.stateBefore(b, t);
      const z = this.preActivation(this.inputAt(b, t), before);
      this.states[b].push(this.isLive(b, t) ? this.activation(z) : this.maskedState(before));
    }
  }

  /** dz_t = dh_t (1 - h_t^2), dx_t = dz_t kernel^T, dh_{t-1} = dz_t recurrentKernel^T; a masked step hands on dh_t */
  private backward(
    b: number,
    dFinal: Row | undefined,
    share: (t: number, dz: Row) => void,
  ): { dInputs: Row[]; dInitial: Row } {
    const { states, finalState } = this.problem.upstream ?? {};
    const dInputs = this.inputs[b].map((x): Row => x.map(() => 0));
    let dh: Row = this.bias.map(() => 0);
    for (let t = this.timeSteps - 1; t >= 0; t--) {
      if (t === this.timeSteps - 1) {
        if (dFinal !== undefined) dh = add(dh, dFinal);
        if (finalState !== undefined) dh = add(dh, rowsOf(finalState)[b]);
      }
      if (states !== undefined) dh = add(dh, (toNested(states) as readonly Rows[])[b][t]);
      if (!this.isLive(b, t)) continue;
      const dz = dh.map((d, u) => d * (1 - this.states[b][t][u]) * (1 + this.states[b][t][u]));
      share(t, dz);
      dInputs[t] = times(dz, transpose(this.kernel));
      dh = times(dz, transpose(this.recurrentKernel));
    }
    return { dInputs, dInitial: dh };
  }

  private stateBefore(b: number, t: number): Row {
    const { initialState } = this.problem;
    if (t > 0) return this.states[b][t - 1];
    return initialState === undefined ? this.bias.map(() => 0) : rowsOf(initialState)[b];
  }

  private isLive(b: number, t: number): boolean {
    return this.problem.mask?.data[b * this.timeSteps + t] !== 0;
  }

  inputAt(b: number, t: number): Row {
    return this.inputs[b][t];
  }

  /** z_t = x_t kernel + h_{t-1} recurrentKernel + bias */
  preActivation(x: Row, before: Row): Row {
    return add(add(times(x, this.kernel), times(before, this.recurrentKernel)), this.bias);
  }

  activation(z: Row): Row {
    return z.map(Math.tanh);
  }

  maskedState(before: Row): Row {
    return before;
  }

  /** p = exp(y - max) / sum */
  softmax(logits: Rows): Rows {
    return logits.map((row) => {
      const exps = row.map((y) => Math.exp(y - Math.max(...row)));
      return exps.map((e) => e / exps.reduce((s, x) => s + x, 0));
    });
  }

  /** The answer as it leaves the network. */
  finish(answer: Evaluation): Evaluation {
    return answer;
  }
}

/** mean over the batch of log(sum exp y) - y_label */
function lossOf(logits: Rows, labels: Row): number {
  const each = logits.map((row, b) => {
    const top = Math.max(...row);
    return Math.log(row.reduce((s, y) => s + Math.exp(y - top), 0)) + top - row[labels[b]];
  });
  return each.reduce((s, l) => s + l, 0) / logits.length;
}

/** Of the rank that the problem says. */
function rowsOf(given: Tensor): Rows {
  return toNested(given) as Rows;
}

function tensor(rows: NestedArray): Tensor {
  const shape: number[] = [];
  for (let level: unknown = rows; Array.isArray(level); level = level[0]) shape.push(level.length);
  return { data: Float64Array.from([rows].flat(3) as number[]), shape };
}

function times(row: Row, matrix: Rows): number[] {
  return matrix[0].map((_, j) => row.reduce((sum, x, i) => sum + x * matrix[i][j], 0));
}

function add(one: Row, other: Row): number[] {
  return one.map((x, i) => x + other[i]);
}

function transpose(matrix: Rows): number[][] {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

function accumulate(sum: number[][], column: Row, row: Row): void {
  column.forEach((x, i) => row.forEach((y, j) => (sum[i][j] += x * y)));
}
