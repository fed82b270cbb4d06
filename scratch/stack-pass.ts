import type { LayerPass, LayerWeights, Signal } from './layer';
import type { Tensor } from './tensor';
import { fromTimeMajor, toTimeMajor } from './time-major';

/** Weights by layer, by their names. */
export type StackWeights = readonly LayerWeights[];

/** A checked batch of inputs. */
export interface StackInputs {
  readonly batch: number;
  readonly timeSteps: number;
  /** [B, T, F], or [B, T] */ readonly inputs: Tensor;
  readonly initialStates: readonly (readonly Tensor[])[];
  /** [B, T] */ readonly mask: Tensor | undefined;
}

/** The forward pass of one batch, with the arrays that its backward pass needs. */
export interface StackPass {
  readonly batch: number;
  readonly timeSteps: number;
  readonly input: Signal;
  readonly passes: readonly LayerPass[];
  readonly output: Signal;
}

/** Fills the arrays of a pass with a batch, and runs the layers from the first to the last. */
export function runForward(
  { input, passes, batch, timeSteps }: StackPass,
  { inputs, initialStates, mask }: StackInputs,
): void {
  toTimeMajor(inputs.data, batch, timeSteps, input.width, input.values);
  if (mask && input.mask) toTimeMajor(mask.data, batch, timeSteps, 1, input.mask);
  passes.forEach((pass, i) => {
    pass.initialStates.forEach(({ values }, k) => {
      const given = initialStates[i].at(k);
      if (given === undefined) values.fill(0);
      else values.set(given.data);
    });
    pass.forward(initialStates[i].length === 0);
  });
}

/** Sets all gradients to zero, before those from above are put in. */
export function clearGradients({ input, passes }: StackPass): void {
  input.gradient.fill(0);
  for (const pass of passes) pass.clearGradients();
}

/** Runs the layers from the last to the first; adds to `gradients`, and, if wanted, to those of the inputs. */
export function runBackward({ passes }: StackPass, gradients: StackWeights, toInputs: boolean): void {
  for (let i = passes.length - 1; i >= 0; i--) passes[i].backward(gradients[i], toInputs || i > 0);
}

/** The output of a pass, [B, T, N] or [B, N], as a tensor of its own. */
export function outputsOf({ output }: StackPass): Tensor {
  return batchMajor(output.values, output);
}

/** As `outputsOf`, but no copy where there is no time axis: to be read only, and before the next forward pass. */
export function borrowOutputs(pass: StackPass): Tensor {
  const { output } = pass;
  return output.timeSteps === undefined ? { data: output.values, shape: shapeOf(output) } : outputsOf(pass);
}

/** Adds dLoss/doutputs, in the shape of the outputs. */
export function addOutputGradient({ output }: StackPass, gradient: Float64Array): void {
  const { batch, timeSteps, width } = output;
  const rows = timeSteps === undefined ? gradient : toTimeMajor(gradient, batch, timeSteps, width);
  addTo(output.gradient, rows);
}

/** Which steps of the output exist [B, T]; undefined: all, or there is no time axis. */
export function maskOf({ output: { batch, timeSteps, mask } }: StackPass): Tensor | undefined {
  if (mask === undefined || timeSteps === undefined) return undefined;
  return { data: fromTimeMajor(mask, batch, timeSteps, 1), shape: [batch, timeSteps] };
}

/** [B, T, N], or [B, N]. */
export function shapeOf({ batch, timeSteps, width }: Signal): number[] {
  return timeSteps === undefined ? [batch, width] : [batch, timeSteps, width];
}

export function batchMajor(data: Float64Array, signal: Signal): Tensor {
  const { batch, timeSteps = 1, width } = signal;
  return { data: fromTimeMajor(data, batch, timeSteps, width), shape: shapeOf(signal) };
}

export function addTo(to: Float64Array, from: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] += from[i];
}

/** Examples `from` to `to` of a batch, as views. */
export function someInputs(given: StackInputs, from: number, to: number): StackInputs {
  if (to - from === given.batch) return given;
  const part = ({ data, shape }: Tensor): Tensor => {
    const width = data.length / given.batch;
    return { data: data.subarray(from * width, to * width), shape: [to - from, ...shape.slice(1)] };
  };
  return {
    batch: to - from,
    timeSteps: given.timeSteps,
    inputs: part(given.inputs),
    initialStates: given.initialStates.map((ofLayer) => ofLayer.map(part)),
    mask: given.mask && part(given.mask),
  };
}

/** Batches one after the other as one. */
export function joined(tensors: readonly Tensor[]): Tensor {
  const data = new Float64Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  const batch = tensors.reduce((sum, { shape }) => sum + shape[0], 0);
  return { data, shape: [batch, ...tensors[0].shape.slice(1)] };
}
