import { checkOptions } from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { checkProblem, type NetworkEvaluation, type NetworkProblem } from '../problem';
import { checkGradientMethod, createClassifierNetwork, createRecurrentNetwork } from './network';
import type { GradientMethod } from './pass';
import { runAndDifferentiate, runAndDifferentiateAsync } from './run';
import { assignVariables } from './variables';

export interface EvaluateOptions {
  /** where the recurrent layer's gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/**
 * Runs one problem on a tfjs backend, by a layer built for it: states, finalState; logits and probabilities when there is
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
  const { network, run } = prepare(backend, problem, options, 'evaluateWithTfjs');
  try {
    return runAndDifferentiate(...run());
  } finally {
    network.dispose();
  }
}

/** The same, with asynchronous reads: WebGPU has no others that are right. */
export async function evaluateWithTfjsAsync(
  backend: LoadedBackend,
  problem: NetworkProblem,
  options: EvaluateOptions = {},
): Promise<NetworkEvaluation> {
  const { network, run } = prepare(backend, problem, options, 'evaluateWithTfjsAsync');
  try {
    return await runAndDifferentiateAsync(...run());
  } finally {
    network.dispose();
  }
}

function prepare(backend: LoadedBackend, problem: NetworkProblem, options: EvaluateOptions, name: string) {
  checkOptions(options, { gradients: true }, name);
  const method = checkGradientMethod(options.gradients ?? 'autodiff', name);
  const { weights, sizes, classes, given, labels, upstream } = checkProblem(problem, name);
  backend.use();
  const { tf } = backend;
  const network =
    classes === undefined
      ? createRecurrentNetwork(backend, sizes, method)
      : createClassifierNetwork(backend, { ...sizes, classes }, method);
  const run = (): Parameters<typeof runAndDifferentiate> => {
    assignVariables<string>(tf, { ...network.variables }, weights, `${name}: weights`);
    return [tf, network, given, { labels, upstream }, name];
  };
  return { network, run };
}
