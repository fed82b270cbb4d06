import { sizeOf, toNested, type NestedArray, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { sizesOf, type Problem } from '../base/problem';
import { add, times, zerosLike, type Row, type Rows } from './rows';

/** What the loss says: nothing of it without labels. */
interface Output {
  readonly logits: Rows;
  readonly probabilities: Rows;
  readonly loss?: number;
  /** [B][C] */ readonly dLogits?: Rows;
}

/** The forward pass and the loss once more, in plain rows and one method an equation. */
export class ForwardByHand {
  /** the problem as this network took it in */ readonly problem: Problem;
  readonly batch: number;
  readonly timeSteps: number;
  readonly kernel: Rows;
  readonly recurrentKernel: Rows;
  readonly bias: Row;
  readonly outputKernel: Rows | undefined;
  readonly outputBias: Row | undefined;
  /** [B][T][F] */ readonly inputs: readonly Rows[];
  /** [B][T][U], filled by the forward pass */ readonly states: number[][][] = [];
  /** [B][T][U], filled by the forward pass */ readonly preActivations: number[][][] = [];
  private readonly initialStates: Rows | undefined;

  constructor(given: Problem) {
    const problem = this.imported(given);
    const { weights } = problem;
    this.problem = problem;
    this.batch = sizesOf(problem).batch;
    this.timeSteps = sizesOf(problem).timeSteps;
    this.inputs = nested(problem.inputs);
    this.kernel = nested(weights.kernel);
    this.recurrentKernel = nested(weights.recurrentKernel);
    this.bias = nested(weights.bias);
    this.outputKernel = weights.outputKernel && nested(weights.outputKernel);
    this.outputBias = weights.outputBias && nested(weights.outputBias);
    this.initialStates = problem.initialState && nested(problem.initialState);
  }

  /** The problem as this network takes it in; it is asked before anything else is there. */
  imported(problem: Problem): Problem {
    return problem;
  }

  /** Forward, one example: h_t = tanh(z_t); a masked step keeps the state. */
  forward(b: number): void {
    this.states[b] = [];
    this.preActivations[b] = [];
    for (let t = 0; t < this.timeSteps; t++) {
      const before = this.stateBefore(b, t);
      const z = this.preActivation(this.inputAt(b, t), before, t);
      this.preActivations[b].push(z);
      this.states[b].push(this.takesPart(b, t) ? this.activation(z, t) : this.maskedState(before));
    }
  }

  /** x_t */
  inputAt(b: number, t: number): Row {
    return this.inputs[b][t];
  }

  /** z_t = x_t kernel + h_{t-1} recurrentKernel + bias */
  preActivation(x: Row, before: Row, _t: number): number[] {
    return add(add(times(x, this.kernel), times(before, this.recurrentKernel)), this.bias);
  }

  /** h_t = tanh(z_t) */
  activation(z: Row, _t: number): number[] {
    return z.map(Math.tanh);
  }

  /** h_{t-1}, which is the initial state at the first step */
  stateBefore(b: number, t: number): Row {
    return t === 0 ? this.initialState(b) : this.states[b][t - 1];
  }

  /** h_0: zeros unless given */
  initialState(b: number): Row {
    return this.initialStates?.[b] ?? zerosLike(this.bias);
  }

  /** m_t: whether example b has step t at all */
  takesPart(b: number, t: number): boolean {
    return this.problem.mask?.data[b * this.timeSteps + t] !== 0;
  }

  /** h_t of a masked step */
  maskedState(before: Row): number[] {
    return [...before];
  }

  /** h_T */
  finalState(b: number): Row {
    return this.states[b][this.timeSteps - 1];
  }

  /** Logits, probabilities and, with labels, the loss and its gradient. */
  output(): Output | undefined {
    if (this.outputKernel === undefined) return undefined;
    const logits = this.states.map((_, b) => this.logits(this.finalState(b)));
    const probabilities = this.softmax(logits);
    const { labels } = this.problem;
    if (labels === undefined) return { logits, probabilities };
    const loss = this.loss(logits, probabilities, labels);
    return { logits, probabilities, loss, dLogits: this.dLogits(probabilities, labels) };
  }

  /** y = h_T outputKernel + outputBias */
  logits(h: Row): number[] {
    const { outputKernel = [], outputBias = [] } = this;
    return add(times(h, outputKernel), outputBias);
  }

  /** p = exp(y - max) / sum, for each example */
  softmax(logits: Rows): Rows {
    return logits.map((row) => {
      const top = Math.max(...row);
      const exps = row.map((y) => Math.exp(y - top));
      const sum = exps.reduce((s, e) => s + e, 0);
      return exps.map((e) => e / sum);
    });
  }

  /** mean over the batch of log(sum exp y) - y_label */
  loss(logits: Rows, _probabilities: Rows, labels: Row): number {
    const each = logits.map((row, b) => {
      const top = Math.max(...row);
      return Math.log(row.reduce((s, y) => s + Math.exp(y - top), 0)) + top - row[labels[b]];
    });
    return each.reduce((s, l) => s + l, 0) / this.batch;
  }

  /** dy = (p - 1hot) / B */
  dLogits(probabilities: Rows, labels: Row): Rows {
    return probabilities.map((row, b) => row.map((p, c) => (p - (c === labels[b] ? 1 : 0)) / this.batch));
  }
}

/** The rows of a tensor of a problem, made once: hundreds of networks are asked the same. Of the rank that the problem says. */
export const nested: (given: Tensor) => never = memoize((given: Tensor) => toNested(given) as never);

/** Rows of equal length as a tensor. */
export function tensor(value: NestedArray): Tensor {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const data = new Float64Array(sizeOf(shape));
  let next = 0;
  const fill = (level: NestedArray): void => {
    for (const item of level) {
      if (typeof item === 'number') data[next++] = item;
      else fill(item);
    }
  };
  fill(value);
  return { data, shape };
}
