import { borrowTensor, checkLabels, formatShape } from '../../scratch/index';
import type { SimpleRNNUpstream, Tensor, TensorLike } from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { readPreActivationGradient, widen } from './instrument';
import { checkGradientMethod, createClassifierNetwork, createRecurrentNetwork } from './network';
import type { GradientMethod } from './pass';
import { runAndDifferentiate, type TfjsEvaluation, type Upstream } from './run';
import { checkSequences } from './sequences';
import { assignVariables } from './variables';

/** One network with its inputs, and where its loss comes from. */
export interface TfjsProblem {
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U]; zeros when absent */ readonly initialState?: Tensor;
  /** [B, T] of 0 and 1 */ readonly mask?: Tensor;
  /** one class index per example: the mean softmax cross-entropy of the logits is part of the loss */
  readonly labels?: readonly number[];
  /** loss gradients that arrive at the recurrent layer from elsewhere; added to those of the labels */
  readonly upstream?: { readonly states?: Tensor; readonly finalState?: Tensor };
  readonly weights: {
    /** [F, U] */ readonly kernel: Tensor;
    /** [U, U] */ readonly recurrentKernel: Tensor;
    /** [U] */ readonly bias: Tensor;
    /** [U, C] */ readonly outputKernel?: Tensor;
    /** [C] */ readonly outputBias?: Tensor;
  };
}

export interface EvaluateOptions {
  /** where the recurrent layer's gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/** An evaluation with the gradients that stay inside the layer. */
export interface InstrumentedEvaluation extends TfjsEvaluation {
  /** [B, T, U]: dLoss/dz_t, the gradient by the argument of tanh; there when gradients were asked for */
  readonly dPreActivation?: Tensor;
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
  problem: TfjsProblem,
  { gradients = 'autodiff' }: EvaluateOptions = {},
): TfjsEvaluation {
  const name = 'evaluateWithTfjs';
  const method = checkGradientMethod(gradients, name);
  const { weights, classes, given, lossSide } = checkProblem(problem, name);
  const [features, units] = weights.kernel.shape;
  backend.use();
  const { tf } = backend;
  const network =
    classes === undefined
      ? createRecurrentNetwork(tf, { features, units }, method)
      : createClassifierNetwork(tf, { features, units, classes }, method);
  try {
    assignVariables<string>(tf, { ...network.variables }, weights, `${name}: weights`);
    return runAndDifferentiate(tf, network, given, lossSide, name);
  } finally {
    network.dispose();
  }
}

/**
 * As `evaluateWithTfjs`, and dLoss/dz_t for every step, had through tfjs's public operations alone: units are given
 * inputs of their own, always zero, that enter z_t with weight one; the gradients of those inputs are dz_t exactly.
 */
export function evaluateInstrumented(
  backend: LoadedBackend,
  problem: TfjsProblem,
  options: EvaluateOptions = {},
): InstrumentedEvaluation {
  checkProblem(problem, 'evaluateInstrumented');
  return readPreActivationGradient(problem, evaluateWithTfjs(backend, widen(problem), options));
}

function checkProblem(problem: TfjsProblem, name: string) {
  const { inputs, initialState, mask, labels, upstream } = problem;
  const kernel = borrowTensor(problem.weights.kernel, `${name}: weights.kernel`, ['F', 'U']);
  const [features, units] = kernel.shape;
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
  const output = outputKernel && borrowTensor(outputKernel, `${name}: weights.outputKernel`, [units, 'C']);
  const classes = output?.shape[1];
  const given = checkSequences(
    inputs,
    { ...(initialState && { initialState }), ...(mask && { mask }) },
    { features, units },
    name,
  );
  const states = [given.batch, given.timeSteps, units];
  return {
    classes,
    given,
    weights: {
      kernel,
      recurrentKernel: borrowTensor(problem.weights.recurrentKernel, `${name}: weights.recurrentKernel`, [
        units,
        units,
      ]),
      bias: borrowTensor(problem.weights.bias, `${name}: weights.bias`, [units]),
      ...(output &&
        outputBias && {
          outputKernel: output,
          outputBias: borrowTensor(outputBias, `${name}: weights.outputBias`, [output.shape[1]]),
        }),
    },
    lossSide: {
      labels: labels && checkLabels(labels, `${name}: labels`, given.batch, classes as number),
      upstream: upstream && checkUpstream(upstream, states, name),
    },
  };
}

/**
 * The door of upstream gradients.
 *
 * @param made [B, T, U], the shape of the states
 * @throws RangeError when a gradient's shape is not that of what the forward pass makes, or a number is not finite
 */
export function checkUpstream(
  { states, finalState }: SimpleRNNUpstream,
  made: readonly number[],
  name: string,
): Upstream {
  const check = (value: TensorLike, key: string, shape: readonly number[], fix: string): Tensor => {
    const tensor = borrowTensor(value, `${name}: upstream.${key}`);
    if (formatShape(tensor.shape) === formatShape(shape)) return tensor;
    throw new RangeError(
      `${name}: upstream.${key} has shape ${formatShape(tensor.shape)} but the forward pass makes ${formatShape(shape)}; pass ${fix}.`,
    );
  };
  const [batch, , units] = made;
  return {
    states: states && check(states, 'states', made, 'one gradient per time step'),
    finalState: finalState && check(finalState, 'finalState', [batch, units], 'one per final state'),
  };
}
