import {
  borrowTensor,
  checkLabels,
  checkSequences,
  checkUpstream,
  classifierLayers,
  NetworkPlan,
  weightsByLayer,
  weightsOfLayers,
} from '../scratch/index';
import type {
  CheckedQuestion,
  ClassifierGradients,
  ClassifierWeights,
  LossName,
  NetworkAnswer,
  Sequences,
  SimpleRNNUpstream,
  StackInputs,
  StackWeights,
  Tensor,
  TensorLike,
  Upstream,
} from '../scratch/index';

/** One network with its inputs, and where its loss comes from. */
export interface NetworkProblem {
  /** [B, T, F] */ readonly inputs: TensorLike;
  /** [B, U]; zeros when absent */ readonly initialState?: TensorLike;
  /** [B, T] of 0 and 1 */ readonly mask?: TensorLike;
  /** one class index per example: the mean softmax cross-entropy of the logits is part of the loss */
  readonly labels?: ArrayLike<number>;
  /** loss gradients that arrive at the recurrent layer from elsewhere; added to those of the labels */
  readonly upstream?: SimpleRNNUpstream;
  readonly weights: {
    /** [F, U] */ readonly kernel: TensorLike;
    /** [U, U] */ readonly recurrentKernel: TensorLike;
    /** [U] */ readonly bias: TensorLike;
    /** [U, C] */ readonly outputKernel?: TensorLike;
    /** [C] */ readonly outputBias?: TensorLike;
  };
}

/** Everything that one forward and backward pass gives. */
export interface NetworkEvaluation {
  /** [B, T, U] */ readonly states: Tensor;
  /** [B, U] */ readonly finalState: Tensor;
  /** [B, C] */ readonly logits?: Tensor;
  /** [B, C] */ readonly probabilities?: Tensor;
  /** scalar: mean over the batch, nats */ readonly loss?: Tensor;
  readonly gradients?: Partial<ClassifierGradients>;
}

export interface CheckedProblem {
  readonly given: Sequences;
  readonly sizes: { readonly features: number; readonly units: number };
  /** there with an output layer */ readonly classes: number | undefined;
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly labels: Int32Array | undefined;
  readonly upstream: Upstream | undefined;
}

/** A problem about the simple RNN as one about a layer, or two. */
export interface ProblemOfLayers {
  readonly plan: NetworkPlan;
  readonly weights: StackWeights;
  readonly question: CheckedQuestion;
  /** the answer of these layers under the names of the simple RNN */
  readonly evaluationOf: (answer: NetworkAnswer) => NetworkEvaluation;
}

/**
 * Checks a problem at the boundary, and asks the same of layers.
 *
 * @param name of what is asked, for messages
 * @throws RangeError when shapes do not fit each other, a number is not finite, or labels come without an output layer
 */
export function problemOfLayers(problem: NetworkProblem, name: string): ProblemOfLayers {
  const checked = checkProblem(problem, name);
  const { given, classes, weights, labels, upstream } = checked;
  const layers = classes === undefined ? 1 : 2;
  return {
    plan: new ProblemPlan(checked, name),
    weights: weightsByLayer(weights as unknown as ClassifierWeights).slice(0, layers),
    question: {
      given: sequenceInputs(given, layers),
      targets: labels,
      upstream: upstream && upstreamOfLayers(upstream, layers),
      sequences: true,
    },
    evaluationOf: ({ finalStates, sequences, logits, outputs, loss, gradients }) => ({
      states: sequences![0][0],
      finalState: finalStates[0][0],
      ...(classes !== undefined && { logits, probabilities: outputs }),
      ...(loss !== undefined && { loss: { data: Float64Array.of(loss), shape: [] } }),
      ...(gradients && {
        gradients: {
          ...(labels ? weightsOfLayers(gradients.weights) : gradients.weights[0]),
          inputs: gradients.inputs!,
          initialState: gradients.initialStates[0][0],
        },
      }),
    }),
  };
}

/** One class alone, whose softmax is always 1, is a problem as well. */
class ProblemPlan extends NetworkPlan {
  override readonly loss: LossName;

  constructor({ sizes, classes }: CheckedProblem, name: string) {
    const { layers, features } = classifierLayers({ ...sizes, classes: classes ?? 1 });
    super({ features, layers: classes === undefined ? [layers[0]] : layers, loss: 'meanSquaredError' }, name);
    this.loss = classes === undefined ? 'meanSquaredError' : 'softmaxCrossEntropy';
  }
}

/** The boundary check of `problemOfLayers`. */
export function checkProblem(problem: NetworkProblem, name: string): CheckedProblem {
  const { inputs, initialState, mask, labels, upstream } = problem;
  const { outputKernel, outputBias } = problem.weights;
  if ((outputKernel === undefined) !== (outputBias === undefined)) {
    throw new RangeError(
      `${name}: weights has ${outputKernel ? 'outputKernel' : 'outputBias'} alone; the output layer has both an outputKernel and an outputBias, so pass both or neither.`,
    );
  }
  if (labels !== undefined && outputKernel === undefined) {
    throw new RangeError(
      `${name}: there are ${labels.length} labels but no outputKernel and outputBias; the loss of labels is computed from logits, so pass the output layer's weights or drop the labels.`,
    );
  }
  const weight = (key: keyof NetworkProblem['weights'], ...shape: (number | string)[]): Tensor =>
    borrowTensor(problem.weights[key] as TensorLike, `${name}: weights.${key}`, shape);
  const kernel = weight('kernel', 'F', 'U');
  const [features, units] = kernel.shape;
  const sizes = { features, units };
  const output = outputKernel && weight('outputKernel', units, 'C');
  const classes = output?.shape[1];
  const options = {
    ...(initialState !== undefined && { initialState }),
    ...(mask !== undefined && { mask }),
  };
  const given = checkSequences(inputs, options, sizes, name);
  return {
    given,
    sizes,
    classes,
    weights: {
      kernel,
      recurrentKernel: weight('recurrentKernel', units, units),
      bias: weight('bias', units),
      ...(output && { outputKernel: output, outputBias: weight('outputBias', output.shape[1]) }),
    },
    labels:
      labels === undefined
        ? undefined
        : checkLabels(labels, `${name}: labels`, given.batch, classes as number),
    upstream:
      upstream === undefined
        ? undefined
        : checkUpstream(upstream, [given.batch, given.timeSteps, units], name),
  };
}

/** Sequences as the inputs of a SimpleRNN with one layer above it, or none. */
export function sequenceInputs(
  { batch, timeSteps, inputs, initialState, mask }: Sequences,
  layers: 1 | 2,
): StackInputs {
  return { batch, timeSteps, inputs, mask, initialStates: byLayer(initialState, layers) };
}

/** What arrives at a SimpleRNN with one layer above it, or none. */
export function upstreamOfLayers(
  { states, finalState }: Upstream,
  layers: 1 | 2,
): NonNullable<CheckedQuestion['upstream']> {
  return {
    logits: undefined,
    finalStates: byLayer(finalState, layers),
    sequences: byLayer(states, layers),
  };
}

function byLayer(ofFirst: Tensor | undefined, layers: 1 | 2): Tensor[][] {
  const first = ofFirst ? [ofFirst] : [];
  return layers === 1 ? [first] : [first, []];
}
