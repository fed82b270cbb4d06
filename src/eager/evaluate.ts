import {
  checkOptions,
  classifierLayers,
  NetworkPlan,
  weightsByLayer,
  weightsOfLayers,
} from '../../scratch/index';
import type { CheckedQuestion, ClassifierWeights, LossName, NetworkAnswer } from '../../scratch/index';
import { checkBackend, type LoadedBackend } from '../backends/index';
import { simpleRNNNames } from '../network-engine';
import {
  checkProblem,
  sequenceInputs,
  upstreamOfLayers,
  type CheckedProblem,
  type NetworkEvaluation,
  type NetworkProblem,
} from '../problem';
import { TfEngine } from './engine';
import { checkGradientMethod, type GradientMethod } from './method';

export interface EvaluateOptions {
  /** where the gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/**
 * Runs one problem on a tfjs backend, by a network built for it: states, finalState; logits and probabilities when there is
 * an output layer; the loss when there are labels; and with labels or upstream gradients, the gradient of every weight
 * that takes part, of inputs and of initialState.
 *
 * @throws RangeError when shapes do not fit each other, a number is not finite in float32, or labels come without an
 * output layer
 *
 * ```ts
 * const wasm = await loadBackend('wasm');
 * const { loss, gradients } = evaluateWithTfjs(wasm, { inputs, labels: [0, 2], weights });
 * ```
 */
export function evaluateWithTfjs(
  backend: LoadedBackend,
  problem: NetworkProblem,
  options: EvaluateOptions = {},
): NetworkEvaluation {
  const name = 'evaluateWithTfjs';
  const { engine, checked, question } = prepare(backend, problem, options, name);
  try {
    return evaluationOf(checked, engine.answer(question, name));
  } finally {
    engine.dispose();
  }
}

/** The same, with asynchronous reads: WebGPU has no others that are right. */
export async function evaluateWithTfjsAsync(
  backend: LoadedBackend,
  problem: NetworkProblem,
  options: EvaluateOptions = {},
): Promise<NetworkEvaluation> {
  const name = 'evaluateWithTfjsAsync';
  const { engine, checked, question } = prepare(backend, problem, options, name);
  try {
    return evaluationOf(checked, await engine.answerAsync(question, name, () => backend.use()));
  } finally {
    engine.dispose();
  }
}

function prepare(backend: LoadedBackend, problem: NetworkProblem, options: EvaluateOptions, name: string) {
  checkBackend(backend, name);
  checkOptions(options, { gradients: true }, name);
  const gradients = checkGradientMethod(options.gradients ?? 'autodiff', name);
  const checked = checkProblem(problem, name);
  const plan = new ProblemPlan(checked, name);
  const layers = plan.layers.length === 1 ? 1 : 2;
  const engine = new TfEngine(backend, plan, `${name}: weights`, {
    ...{ gradients, nameOf: simpleRNNNames },
    weights: weightsByLayer(checked.weights as unknown as ClassifierWeights).slice(0, layers),
  });
  const { given, labels, upstream } = checked;
  const question: CheckedQuestion = {
    given: sequenceInputs(given, layers),
    targets: labels,
    upstream: upstream && upstreamOfLayers(upstream, layers),
    sequences: true,
  };
  return { engine, checked, question };
}

/** A problem as layers; one class alone, whose softmax is always 1, is a problem as well. */
class ProblemPlan extends NetworkPlan {
  override readonly loss: LossName;

  constructor({ sizes, classes }: CheckedProblem, name: string) {
    const { layers, features } = classifierLayers({ ...sizes, classes: classes ?? 1 });
    super({ features, layers: classes === undefined ? [layers[0]] : layers, loss: 'meanSquaredError' }, name);
    this.loss = classes === undefined ? 'meanSquaredError' : 'softmaxCrossEntropy';
  }
}

function evaluationOf(
  { classes, labels }: CheckedProblem,
  { finalStates, sequences, logits, outputs, loss, gradients }: NetworkAnswer,
): NetworkEvaluation {
  return {
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
  };
}
