import { toNested, type Tensor } from '../../scratch/index';
import type { Evaluation, Problem } from '../base/problem';
import { ForwardByHand, nested, tensor } from './forward-by-hand';
import { accumulate, add, multiply, outer, times, transpose, zerosLike, type Row, type Rows } from './rows';

/**
 * The network once more, in plain rows and one method an equation, right in every part. A fault is a subclass that gets one
 * of these methods wrong; everything else stays right, as it is in real mistakes. The forward equations are in `ForwardByHand`.
 */
export class HandNetwork extends ForwardByHand {
  /** dz_t [B][T][U], filled by the backward pass; zeros where it never comes by */
  readonly dPreActivations: Row[][] = [];
  /** what `evaluate` gave last */ answer: Evaluation = {};
  private upstreamRows: { states?: readonly Rows[]; finalState?: Rows } = {};
  private kernelTransposed: Rows = [];
  private recurrentKernelTransposed: Rows = [];

  /**
   * @param problem the question
   * @param earlier the network of the call before this one, of which a right network knows nothing
   */
  constructor(
    problem: Problem,
    readonly earlier?: HandNetwork,
  ) {
    super(problem);
  }

  /** @param states [B, T, U] of another network, to go on from instead of its own: the backward pass is then that of this one */
  evaluate(states?: Tensor): Evaluation {
    for (let b = 0; b < this.batch; b++) this.forward(b);
    if (states !== undefined) this.states.splice(0, this.batch, ...(toNested(states) as number[][][]));
    const output = this.output();
    const { dLogits } = output ?? {};
    const forward: Evaluation = {
      states: tensor(this.states),
      finalState: tensor(this.states.map((_, b) => [...this.finalState(b)])),
      ...(output && { logits: tensor(output.logits) }),
      ...(output && { probabilities: tensor(output.probabilities) }),
      ...(output?.loss !== undefined && { loss: { data: Float64Array.of(output.loss), shape: [] } }),
    };
    const backward = dLogits !== undefined || this.problem.upstream !== undefined;
    this.answer = this.finish({
      ...forward,
      ...(backward && {
        gradients: { ...this.backward(dLogits), ...(dLogits && this.outputGradients(dLogits)) },
      }),
    });
    return this.answer;
  }

  /** Backward through time, all examples, then the sums over time. */
  private backward(dLogits: Rows | undefined): NonNullable<Evaluation['gradients']> {
    const { states, finalState } = this.problem.upstream ?? {};
    this.upstreamRows = {
      ...(states && { states: nested(states) }),
      ...(finalState && { finalState: nested(finalState) }),
    };
    this.kernelTransposed = transpose(this.kernel);
    this.recurrentKernelTransposed = transpose(this.recurrentKernel);
    const dInputs = this.inputs.map((rows) => rows.map(zerosLike));
    const dInitial = this.inputs.map((_, b) => this.backwardOf(b, dLogits?.[b], dInputs[b]));
    return {
      kernel: tensor(this.kernelGradient()),
      recurrentKernel: tensor(this.recurrentKernelGradient()),
      bias: tensor(this.biasGradient()),
      inputs: tensor(dInputs),
      initialState: tensor(dInitial),
    };
  }

  /** Backward through the steps of one example: fills its dz_t and dx_t, returns dh_0. */
  private backwardOf(b: number, dLogits: Row | undefined, dInputs: number[][]): Row {
    this.dPreActivations[b] = this.inputs[b].map(() => zerosLike(this.bias));
    const dFinalState = dLogits && this.fromOutput(dLogits);
    let carried: Row = zerosLike(this.bias);
    let later: Row = carried;
    for (const t of this.backwardSteps()) {
      const dh = this.dState(later, this.fromAbove(b, t, dFinalState), carried);
      const live = this.takesPart(b, t);
      const dz = live ? this.dPreActivation(b, t, dh) : this.maskedPreActivation(b, t, dh);
      this.dPreActivations[b][t] = dz;
      dInputs[this.inputGradientStep(t)] = [...this.inputGradient(dz, t)];
      carried = live ? this.carry(t, dz, dh) : this.maskedCarry(t, dz, dh);
      later = dh;
    }
    return this.initialStateGradient(carried, later);
  }

  /** T - 1, ..., 0 */
  backwardSteps(): number[] {
    return Array.from({ length: this.timeSteps }, (_, i) => this.timeSteps - 1 - i);
  }

  /** dh_T = dy outputKernel^T, from the loss */
  fromOutput(dLogits: Row): Row {
    return times(dLogits, transpose(this.outputKernel ?? []));
  }

  /** What reaches h_t from outside the layer. */
  fromAbove(b: number, t: number, dFinalState: Row | undefined): number[] {
    const sum = [...this.upstreamState(b, t)];
    if (t !== this.timeSteps - 1) return sum;
    const last = add(sum, this.upstreamFinalState(b));
    return dFinalState === undefined ? last : add(last, dFinalState);
  }

  /** the gradient given for h_t; zeros unless given */
  upstreamState(b: number, t: number): Row {
    return this.upstreamRows.states?.[b]?.[t] ?? zerosLike(this.bias);
  }

  /** the gradient given for the final state; zeros unless given */
  upstreamFinalState(b: number): Row {
    return this.upstreamRows.finalState?.[b] ?? zerosLike(this.bias);
  }

  /** dh_t = from above + carried; `_later` is dh_{t+1}, which has no business here */
  dState(_later: Row, fromAbove: Row, carried: Row): number[] {
    return add(fromAbove, carried);
  }

  /** dz_t = dh_t (1 - h_t^2) */
  dPreActivation(b: number, t: number, dh: Row): Row {
    return multiply(dh, this.slope(b, t));
  }

  /** tanh'(z_t) = 1 - h_t^2 */
  slope(b: number, t: number): number[] {
    return this.states[b][t].map((h) => (1 - h) * (1 + h));
  }

  /** dz_t of a masked step: the step does not exist */
  maskedPreActivation(_b: number, _t: number, dh: Row): Row {
    return zerosLike(dh);
  }

  /** what step t sends to h_{t-1}: dz_t recurrentKernel^T */
  carry(_t: number, dz: Row, _dh: Row): Row {
    return times(dz, this.recurrentKernelTransposed);
  }

  /** what a masked step sends to h_{t-1}: all of dh_t, as the state was only copied */
  maskedCarry(_t: number, _dz: Row, dh: Row): Row {
    return dh;
  }

  /** dh_0 = what the first step carries; `_first` is dh_1 */
  initialStateGradient(carried: Row, _first: Row): Row {
    return carried;
  }

  /** dx_t = dz_t kernel^T */
  inputGradient(dz: Row, _t: number): Row {
    return times(dz, this.kernelTransposed);
  }

  /** where dx_t is stored */
  inputGradientStep(t: number): number {
    return t;
  }

  /** dKernel = sum over time and batch */
  kernelGradient(): number[][] {
    return this.sumOverSteps(this.kernel, (b, t, dz) => this.kernelShare(b, t, dz));
  }

  /** the share of one step: x_t^T dz_t */
  kernelShare(b: number, t: number, dz: Row): Rows {
    return outer(this.inputForKernel(b, t), dz);
  }

  inputForKernel(b: number, t: number): Row {
    return this.inputs[b][t];
  }

  /** dRecurrentKernel = sum over time and batch */
  recurrentKernelGradient(): number[][] {
    return this.sumOverSteps(this.recurrentKernel, (b, t, dz) => this.recurrentKernelShare(b, t, dz));
  }

  /** the share of one step: h_{t-1}^T dz_t */
  recurrentKernelShare(b: number, t: number, dz: Row): Rows {
    return outer(this.stateForRecurrentKernel(b, t), dz);
  }

  stateForRecurrentKernel(b: number, t: number): Row {
    return this.stateBefore(b, t);
  }

  /** dBias = sum over time and batch */
  biasGradient(): Row {
    return this.sumOverSteps([this.bias], (b, t, dz) => [this.biasShare(b, t, dz)])[0];
  }

  /** the share of one step: dz_t */
  biasShare(_b: number, _t: number, dz: Row): Row {
    return dz;
  }

  /** dOutputKernel = sum of h_T^T dy, dOutputBias = sum of dy */
  outputGradients(dLogits: Rows): NonNullable<Evaluation['gradients']> {
    const { outputKernel = [], outputBias = [] } = this;
    const [dKernel, dBias] = [outputKernel.map(zerosLike), [zerosLike(outputBias)]];
    dLogits.forEach((dy, b) => {
      accumulate(dKernel, outer(this.finalState(b), dy));
      accumulate(dBias, [dy]);
    });
    return { outputKernel: tensor(dKernel), outputBias: tensor(dBias[0]) };
  }

  /** The answer as it leaves the network. */
  finish(answer: Evaluation): Evaluation {
    return answer;
  }

  /** The answer as the caller gets it; `_before` is the one that the caller got at the last call, and still holds. */
  handedOver(answer: Evaluation, _before: Evaluation | undefined): Evaluation {
    return answer;
  }

  /** The sum of every step's share, in the shape of `like`. */
  private sumOverSteps(like: Rows, share: (b: number, t: number, dz: Row) => Rows): number[][] {
    const sum = like.map(zerosLike);
    this.dPreActivations.forEach((rows, b) => rows.forEach((dz, t) => accumulate(sum, share(b, t, dz))));
    return sum;
  }
}
