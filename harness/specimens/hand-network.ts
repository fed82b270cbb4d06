import { toNested, toTensor, type NestedArray, type Tensor } from '../../scratch/index';
import { sizesOf, type Evaluation, type Problem } from '../problem';

type Row = readonly number[];
type Rows = readonly Row[];

/**
 * The network once more, in plain rows and one method an equation, right in every part. A specimen is a subclass that gets one
 * of these methods wrong; everything else stays right, as it is in real mistakes.
 */
export class HandNetwork {
  protected readonly batch: number;
  protected readonly timeSteps: number;
  protected readonly kernel: Rows;
  protected readonly recurrentKernel: Rows;
  protected readonly bias: Row;
  /** [B][T][F] */ protected readonly inputs: readonly Rows[];
  /** [B][T][U], filled by the forward pass */ protected readonly states: number[][][] = [];
  /** [B][T][U], filled by the forward pass */ protected readonly preActivations: number[][][] = [];

  constructor(protected readonly problem: Problem) {
    const { batch, timeSteps } = sizesOf(problem);
    this.batch = batch;
    this.timeSteps = timeSteps;
    this.inputs = nested(problem.inputs);
    this.kernel = nested(problem.weights.kernel);
    this.recurrentKernel = nested(problem.weights.recurrentKernel);
    this.bias = nested(problem.weights.bias);
  }

  evaluate(): Evaluation {
    for (let b = 0; b < this.batch; b++) this.forward(b);
    const finalState = this.states.map((rows) => this.finalStateOf(rows));
    const evaluation = { states: tensor(this.states), finalState: tensor(finalState) };
    const output = this.output(finalState);
    if (this.problem.labels === undefined && this.problem.upstream === undefined) {
      return this.finish({ ...evaluation, ...output.evaluation });
    }
    const recurrent = this.backward(output.dFinalState);
    return this.finish({
      ...evaluation,
      ...output.evaluation,
      gradients: { ...recurrent, ...output.gradients },
    });
  }

  /** Forward, one example: h_t = tanh(z_t); a masked step keeps the state. */
  protected forward(b: number): void {
    this.states[b] = [];
    this.preActivations[b] = [];
    for (let t = 0; t < this.timeSteps; t++) {
      const before = this.stateBefore(b, t);
      const z = this.preActivation(this.inputs[b][t], before);
      this.preActivations[b].push(z);
      this.states[b].push(this.isKept(b, t) ? this.activation(z) : [...before]);
    }
  }

  /** z_t = x_t kernel + h_{t-1} recurrentKernel + bias */
  protected preActivation(x: Row, before: Row): number[] {
    return add(add(times(x, this.kernel), times(before, this.recurrentKernel)), this.bias);
  }

  protected activation(z: Row): number[] {
    return z.map(Math.tanh);
  }

  /** h_{t-1}, which is the initial state at the first step */
  protected stateBefore(b: number, t: number): Row {
    return t === 0 ? this.initialState(b) : this.states[b][t - 1];
  }

  protected initialState(b: number): Row {
    const { initialState } = this.problem;
    return initialState === undefined ? this.bias.map(() => 0) : nested(initialState)[b];
  }

  protected isKept(b: number, t: number): boolean {
    return this.problem.mask?.data[b * this.timeSteps + t] !== 0;
  }

  protected finalStateOf(states: Rows): Row {
    return states[states.length - 1];
  }

  /** Logits, probabilities, loss, and the gradient that the loss sends to the final state. */
  private output(finalState: Rows): {
    evaluation: Pick<Evaluation, 'logits' | 'probabilities' | 'loss'>;
    gradients: NonNullable<Evaluation['gradients']>;
    dFinalState: Rows | undefined;
  } {
    const { outputKernel, outputBias } = this.problem.weights;
    if (outputKernel === undefined || outputBias === undefined) {
      return { evaluation: {}, gradients: {}, dFinalState: undefined };
    }
    const W = nested(outputKernel);
    const logits = finalState.map((h) => add(times(h, W), nested(outputBias)));
    const probabilities = this.softmax(logits);
    const evaluation = { logits: tensor(logits), probabilities: tensor(probabilities) };
    const { labels } = this.problem;
    if (labels === undefined) return { evaluation, gradients: {}, dFinalState: undefined };
    const loss = { data: Float64Array.of(this.loss(logits, probabilities, labels)), shape: [] };
    const dLogits = this.dLogits(probabilities, labels);
    return {
      evaluation: { ...evaluation, loss },
      gradients: {
        outputKernel: tensor(sumOf(dLogits.map((dy, b) => outer(finalState[b], dy)))),
        outputBias: tensor(sumOf(dLogits.map((dy) => [dy]))[0]),
      },
      dFinalState: dLogits.map((dy) => times(dy, transpose(W))),
    };
  }

  /** p = exp(y - max) / sum, for each example */
  protected softmax(logits: Rows): Rows {
    return logits.map((row) => {
      const top = Math.max(...row);
      const exps = row.map((y) => Math.exp(y - top));
      const sum = exps.reduce((s, e) => s + e, 0);
      return exps.map((e) => e / sum);
    });
  }

  /** mean over the batch of log(sum exp y) - y_label */
  protected loss(logits: Rows, _probabilities: Rows, labels: Row): number {
    const each = logits.map((row, b) => {
      const top = Math.max(...row);
      return Math.log(row.reduce((s, y) => s + Math.exp(y - top), 0)) + top - row[labels[b]];
    });
    return each.reduce((s, l) => s + l, 0) / this.batch;
  }

  /** (p - 1hot) / B */
  protected dLogits(probabilities: Rows, labels: Row): Rows {
    return probabilities.map((row, b) => row.map((p, c) => (p - (c === labels[b] ? 1 : 0)) / this.batch));
  }

  /** Backward through time, all examples. */
  private backward(dFinalState: Rows | undefined): NonNullable<Evaluation['gradients']> {
    const dKernels: Rows[] = [];
    const dRecurrents: Rows[] = [];
    const dBiases: Rows[] = [];
    const dInputs = this.inputs.map((rows) => rows.map((row) => row.map(() => 0)));
    const dInitial: Row[] = [];
    for (let b = 0; b < this.batch; b++) {
      let carried: Row = this.bias.map(() => 0);
      let before: Row = carried;
      for (const t of this.backwardSteps()) {
        const fromAbove = this.fromAbove(b, t, dFinalState?.[b]);
        const dh = this.arriving(before, fromAbove, carried);
        before = dh;
        if (!this.isKept(b, t)) {
          carried = dh;
          continue;
        }
        const dz = multiply(dh, this.slope(b, t));
        dKernels.push(outer(this.inputForKernel(b, t), dz));
        dRecurrents.push(outer(this.stateForRecurrentKernel(b, t), dz));
        dBiases.push([this.biasGradient(b, dz)]);
        dInputs[b][t] = this.inputGradient(dz);
        carried = this.carry(t, dz);
      }
      dInitial.push(this.initialStateGradient(carried));
    }
    return {
      kernel: tensor(sumOf(dKernels, this.kernel)),
      recurrentKernel: tensor(sumOf(dRecurrents, this.recurrentKernel)),
      bias: tensor(sumOf(dBiases, [this.bias])[0]),
      inputs: tensor(dInputs),
      initialState: tensor(dInitial),
    };
  }

  /** T - 1, ..., 0 */
  protected backwardSteps(): number[] {
    return Array.from({ length: this.timeSteps }, (_, i) => this.timeSteps - 1 - i);
  }

  /** What reaches h_t from outside the layer. */
  protected fromAbove(b: number, t: number, dFinalState: Row | undefined): Row {
    const { states, finalState } = this.problem.upstream ?? {};
    let sum: number[] = this.bias.map(() => 0);
    if (states !== undefined) sum = add(sum, nested(states)[b][t]);
    if (t !== this.timeSteps - 1) return sum;
    if (finalState !== undefined) sum = add(sum, nested(finalState)[b]);
    return dFinalState === undefined ? sum : add(sum, dFinalState);
  }

  /** dh_t = from above + carried; `_laterTotal` is dh_{t+1}, which has no business here */
  protected arriving(_laterTotal: Row, fromAbove: Row, carried: Row): number[] {
    return add(fromAbove, carried);
  }

  /** tanh'(z_t) = 1 - h_t^2 */
  protected slope(b: number, t: number): number[] {
    return this.states[b][t].map((h) => (1 - h) * (1 + h));
  }

  /** dKernel = sum x_t^T dz_t */
  protected inputForKernel(b: number, t: number): Row {
    return this.inputs[b][t];
  }

  /** dRecurrentKernel = sum h_{t-1}^T dz_t */
  protected stateForRecurrentKernel(b: number, t: number): Row {
    return this.stateBefore(b, t);
  }

  /** dBias = sum dz_t */
  protected biasGradient(_b: number, dz: Row): Row {
    return dz;
  }

  /** dx_t = dz_t kernel^T */
  protected inputGradient(dz: Row): number[] {
    return times(dz, transpose(this.kernel));
  }

  /** what step t sends to h_{t-1}: dz_t recurrentKernel^T */
  protected carry(_t: number, dz: Row): Row {
    return times(dz, transpose(this.recurrentKernel));
  }

  protected initialStateGradient(carried: Row): Row {
    return carried;
  }

  /** The answer as it leaves the network. */
  protected finish(evaluation: Evaluation): Evaluation {
    return evaluation;
  }
}

/** row [n] times matrix [n, m] */
export function times(row: Row, matrix: Rows): number[] {
  return (matrix[0] ?? []).map((_, j) => row.reduce((sum, x, i) => sum + x * matrix[i][j], 0));
}

export function add(one: Row, other: Row): number[] {
  return one.map((x, i) => x + other[i]);
}

export function multiply(one: Row, other: Row): number[] {
  return one.map((x, i) => x * other[i]);
}

export function transpose(matrix: Rows): number[][] {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

function outer(column: Row, row: Row): number[][] {
  return column.map((x) => row.map((y) => x * y));
}

/** The sum of matrices; zeros in the shape of `like` when there is none. */
function sumOf(matrices: readonly Rows[], like: Rows = matrices[0]): number[][] {
  const sum = like.map((row) => row.map(() => 0));
  for (const matrix of matrices) matrix.forEach((row, i) => row.forEach((x, j) => (sum[i][j] += x)));
  return sum;
}

// toNested gives exactly the rank of its tensor; the ranks are those of the Problem.
const nested = toNested as (value: Tensor) => never;

function tensor(value: NestedArray): Tensor {
  return toTensor(value, 'specimen');
}
