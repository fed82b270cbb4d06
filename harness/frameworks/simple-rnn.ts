import type { Evaluation, LayeredEvaluation, LayeredProblem, Problem } from '../base/problem';
import { sizesOf } from '../base/problem';

/** A problem about the simple RNN and its output layer as one about layers. */
export function asLayers(problem: Problem): LayeredProblem {
  const { id, inputs, initialState, mask, labels, upstream } = problem;
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = problem.weights;
  const { features, units, classes } = sizesOf(problem);
  const { states, finalState } = upstream ?? {};
  const rest = classes === undefined ? [] : [{}];
  return {
    id,
    model: {
      features,
      layers: [
        { layer: 'simpleRNN', units },
        ...(classes === undefined ? [] : [{ layer: 'dense', units: classes } as const]),
      ],
      loss: classes === undefined ? 'meanSquaredError' : 'softmaxCrossEntropy',
    },
    inputs,
    ...(initialState && { initialStates: [{ h: initialState }, ...rest] }),
    ...(mask && { mask }),
    ...(labels && { labels }),
    ...(upstream && {
      upstream: {
        ...(states && { sequences: [{ h: states }, ...rest] }),
        ...(finalState && { finalStates: [{ h: finalState }, ...rest] }),
      },
    }),
    weights: [
      { kernel, recurrentKernel, bias },
      ...(outputKernel && outputBias ? [{ kernel: outputKernel, bias: outputBias }] : []),
    ],
  };
}

/** The answer to `asLayers(problem)` under the names of the simple RNN. */
export function asSimple(
  { weights: { outputKernel } }: Problem,
  { sequences, finalStates, logits, outputs, loss, gradients }: LayeredEvaluation,
): Evaluation {
  const [rnn, output] = gradients?.weights ?? [];
  return {
    states: sequences![0]['h'],
    finalState: finalStates![0]['h'],
    ...(outputKernel && logits && { logits, probabilities: outputs! }),
    ...(loss && { loss }),
    ...(gradients && {
      gradients: {
        kernel: rnn['kernel'],
        recurrentKernel: rnn['recurrentKernel'],
        bias: rnn['bias'],
        ...(loss && { outputKernel: output['kernel'], outputBias: output['bias'] }),
        inputs: gradients.inputs!,
        initialState: gradients.initialStates![0]['h'],
      },
    }),
  };
}
