import type { ClassifierWeights } from './classifier-interface';
import { weightArrays } from './classifier-weights';
import type { Sequences } from './sequences';
import { denseForward, denseInputGradients, denseWeightGradients } from './dense';
import {
  accumulateWeightGradients,
  backwardThroughTime,
  forwardThroughTime,
  type SimpleRNNCache,
  type SimpleRNNFlow,
  type SimpleRNNWeights,
} from './simple-rnn';
import { crossEntropyGradient, crossEntropyLoss, softmaxInto } from './softmax-cross-entropy';
import { toTimeMajor } from './time-major';

/**
 * Buffers for forward and backward passes of one batch after the other. They grow when a batch needs more and are
 * reused otherwise, so that training allocates nothing per time step and next to nothing per batch.
 */
export interface Room {
  readonly inputs: Float64Array;
  readonly mask: Float64Array;
  readonly states: Float64Array;
  readonly logits: Float64Array;
  readonly probabilities: Float64Array;
  readonly dLogits: Float64Array;
  readonly dStates: Float64Array;
  readonly dPreActivation: Float64Array;
}

/** The forward pass of one batch, ready for the backward pass; its arrays are a Room's and may be longer than used. */
export interface ClassifierPass {
  readonly weights: ClassifierWeights;
  readonly cache: SimpleRNNCache;
  readonly flow: SimpleRNNFlow;
  /** [B, C] */ readonly logits: Float64Array;
  /** [B, C] */ readonly probabilities: Float64Array;
  /** [B, C] */ readonly dLogits: Float64Array;
}

/** `room` itself when the batch fits, else a new one that it fits. */
export function roomFor(weights: ClassifierWeights, { batch, timeSteps }: Sequences, room?: Room): Room {
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  // enough rows, and enough rows times steps: then all other buffers are long enough too
  const fits =
    room !== undefined &&
    room.logits.length >= batch * classes &&
    room.inputs.length >= batch * timeSteps * features;
  if (fits) return room;
  return {
    inputs: new Float64Array(timeSteps * batch * features),
    mask: new Float64Array(timeSteps * batch),
    states: new Float64Array((timeSteps + 1) * batch * units),
    logits: new Float64Array(batch * classes),
    probabilities: new Float64Array(batch * classes),
    dLogits: new Float64Array(batch * classes),
    dStates: new Float64Array((timeSteps + 1) * batch * units),
    dPreActivation: new Float64Array(timeSteps * batch * units),
  };
}

/**
 * Inputs to probabilities.
 *
 *     h_t           = the recurrent layer, t = 1..T
 *     logits        = h_T · outputKernel + outputBias
 *     probabilities = softmax(logits)
 */
export function forwardPass(weights: ClassifierWeights, given: Sequences, room: Room): ClassifierPass {
  const { batch, timeSteps } = given;
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  const { states, logits, probabilities } = room;
  if (given.initialState === undefined) states.fill(0, 0, batch * units);
  else states.set(given.initialState.data);
  const cache: SimpleRNNCache = {
    batch,
    timeSteps,
    weights,
    inputs: toTimeMajor(given.inputs.data, batch, timeSteps, features, room.inputs),
    mask: given.mask && toTimeMajor(given.mask.data, batch, timeSteps, 1, room.mask),
    states,
    startsAtZero: given.initialState === undefined,
  };
  forwardThroughTime(cache);
  denseForward(outputLayer(weights), states, timeSteps * batch * units, batch, logits);
  softmaxInto(logits, batch, classes, probabilities);
  return { weights, cache, flow: room, logits, probabilities, dLogits: room.dLogits };
}

/** The mean loss of a pass, in nats. */
export function lossOf(pass: ClassifierPass, labels: Int32Array): number {
  return crossEntropyLoss(pass.logits, pass.probabilities, labels, pass.weights.outputBias.shape[0]);
}

/**
 * The chain rule, from the loss back to every weight; overwrites `gradients`, and leaves dLoss/dh_t and dLoss/dz_t in
 * the pass.
 *
 * @param toInitialState whether dLoss/dh_0 is wanted; training does without
 */
export function backwardPass(
  pass: ClassifierPass,
  labels: Int32Array,
  gradients: ClassifierWeights,
  toInitialState: boolean,
): void {
  const { weights, cache, flow, dLogits } = pass;
  const { batch, timeSteps, states } = cache;
  const [units, classes] = weights.outputKernel.shape;
  const last = timeSteps * batch * units;
  for (const gradient of weightArrays(gradients)) gradient.fill(0);

  // dlogits = (probabilities - one-hot labels) / B
  crossEntropyGradient(pass.probabilities, labels, classes, dLogits);
  // dOutputKernel = h_Tᵀ · dlogits,  dOutputBias = Σ_b dlogits
  denseWeightGradients(outputLayer(gradients), states, last, batch, dLogits);
  // dh_T = dlogits · outputKernelᵀ;  nothing arrives from above at the other steps
  flow.dStates.fill(0, 0, last + batch * units);
  denseInputGradients(outputLayer(weights), dLogits, batch, flow.dStates, last);
  // dh_t, dz_t for t = T..1, then dKernel, dRecurrentKernel, dBias
  backwardThroughTime(cache, flow, toInitialState);
  accumulateWeightGradients(cache, flow, gradients satisfies SimpleRNNWeights);
}

function outputLayer({ outputKernel, outputBias }: ClassifierWeights): {
  kernel: ClassifierWeights['outputKernel'];
  bias: ClassifierWeights['outputBias'];
} {
  return { kernel: outputKernel, bias: outputBias };
}
