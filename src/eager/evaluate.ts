import { checkOptions, ownCopy } from '../../scratch/index';
import { checkBackend, type LoadedBackend } from '../backends/index';
import { simpleRNNNames } from '../network-engine';
import { problemOfLayers, type NetworkEvaluation, type NetworkProblem } from '../problem';
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
  const { engine, question, evaluationOf } = prepare(backend, problem, options, name);
  try {
    return evaluationOf(engine.answer(question, name));
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
  const { engine, question, evaluationOf } = prepare(backend, problem, options, name);
  try {
    return evaluationOf(await engine.answerAsync(ownCopy(question), name, () => backend.use()));
  } finally {
    engine.dispose();
  }
}

function prepare(backend: LoadedBackend, problem: NetworkProblem, options: EvaluateOptions, name: string) {
  checkBackend(backend, name);
  checkOptions(options, { gradients: true }, name);
  const gradients = checkGradientMethod(options.gradients ?? 'autodiff', name);
  const { plan, weights, ...asked } = problemOfLayers(problem, name);
  const engine = new TfEngine(backend, plan, `${name}: weights`, {
    ...{ gradients, weights, nameOf: simpleRNNNames },
  });
  return { engine, ...asked };
}
