import {
  Dense,
  ScratchNetwork,
  SimpleRNN,
  softmax,
  softmaxCrossEntropy,
  type Tensor,
} from '../../../scratch/index';
import { memoize } from '../../base/memoize';
import {
  isLayered,
  sizesOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type Problem,
} from '../../base/problem';
import { byModel } from '../by-model';

/** The hand-written network as an implementation: float64, the reference of every comparison. */
export function scratchImplementation(): Implementation {
  return { name: 'scratch', precision: 'float64', evaluate: evaluateByHand, layered };
}

const layered = byModel((options) => new ScratchNetwork(options));

/** The scratch network's answer as a reference: made once for each problem, and shared by all that look at it. */
export const referenceAnswer = memoize((problem: AnyProblem): Evaluation =>
  isLayered(problem) ? layered.evaluate(problem) : evaluateByHand(problem),
);

function evaluateByHand(problem: Problem): Evaluation {
  const { features, units, classes } = sizesOf(problem);
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = problem.weights;
  const rnn = new SimpleRNN({ features, units, weights: { kernel, recurrentKernel, bias } });
  const { states, finalState, cache } = rnn.forward(problem.inputs, problem.initialState, problem.mask);
  if (outputKernel === undefined || outputBias === undefined || classes === undefined) {
    if (problem.upstream === undefined) return { states, finalState };
    return { states, finalState, gradients: recurrentGradients(rnn.backward(cache, problem.upstream)) };
  }
  const dense = new Dense({
    inputs: units,
    units: classes,
    weights: { kernel: outputKernel, bias: outputBias },
  });
  const forward = dense.forward(finalState);
  const logits = forward.outputs;
  if (problem.labels === undefined) {
    const answer = { states, finalState, logits, probabilities: softmax(logits) };
    if (problem.upstream === undefined) return answer;
    return { ...answer, gradients: recurrentGradients(rnn.backward(cache, problem.upstream)) };
  }
  const { loss, probabilities, dLogits } = softmaxCrossEntropy(logits, problem.labels);
  const output = dense.backward(forward.cache, dLogits);
  const fromAbove = problem.upstream?.finalState;
  const upstream = {
    ...problem.upstream,
    finalState: fromAbove === undefined ? output.inputs : sum(output.inputs, fromAbove),
  };
  return {
    states,
    finalState,
    logits,
    probabilities,
    loss: { data: Float64Array.of(loss), shape: [] },
    gradients: {
      ...recurrentGradients(rnn.backward(cache, upstream)),
      outputKernel: output.kernel,
      outputBias: output.bias,
    },
  };
}

type RecurrentGradients = ReturnType<SimpleRNN['backward']>;

function recurrentGradients(all: RecurrentGradients): Omit<RecurrentGradients, 'states'> {
  const { kernel, recurrentKernel, bias, inputs, initialState } = all;
  return { kernel, recurrentKernel, bias, inputs, initialState };
}

function sum(one: Tensor, other: Tensor): Tensor {
  return { data: one.data.map((x, i) => x + other.data[i]), shape: one.shape };
}
