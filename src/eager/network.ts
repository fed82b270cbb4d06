import type * as Tf from '@tensorflow/tfjs';
import type { LoadedBackend } from '../backends/index';
import { startBpttPass } from './bptt-pass';
import { differentiateByHand } from './classifier-by-hand';
import { differentiateByTape, type DifferentiateBatch } from './classifier-step';
import { clearPaddingOfGradient, detoursOf } from './detours';
import { createOutputLayer, type OutputLayer, type OutputVariables } from './output-layer';
import type { GradientMethod, StartPass } from './pass';
import { createRecurrentLayer, type RecurrentLayer, type RecurrentVariables } from './recurrent-layer';

/** The recurrent layer, run as its gradient method asks. Owns its variables. */
export interface RecurrentNetwork {
  readonly variables: RecurrentVariables;
  readonly startPass: StartPass;
  dispose(): void;
}

/** Recurrent and output layer. Owns its variables. */
export interface ClassifierNetwork {
  /** in the order of ClassifierWeights */ readonly variables: RecurrentVariables & OutputVariables;
  readonly startPass: StartPass;
  readonly logits: OutputLayer['logits'];
  /** Loss and gradients of a batch. */ readonly differentiate: DifferentiateBatch;
  dispose(): void;
}

/** Builds a recurrent layer, all weights zero. */
export function createRecurrentNetwork(
  backend: Pick<LoadedBackend, 'tf' | 'name' | 'asIs'>,
  sizes: { readonly features: number; readonly units: number },
  method: GradientMethod,
): RecurrentNetwork {
  const { tf } = backend;
  const layer = createRecurrentLayer(tf, sizes.features, sizes.units, detoursOf(backend).masksByStep);
  return { ...layer, startPass: startPassOf(tf, layer, method) };
}

/** Builds a recurrent layer with an output layer on its final state, all weights zero. */
export function createClassifierNetwork(
  backend: Pick<LoadedBackend, 'tf' | 'name' | 'asIs'>,
  sizes: { readonly features: number; readonly units: number; readonly classes: number },
  method: GradientMethod,
): ClassifierNetwork {
  const { tf } = backend;
  const recurrent = createRecurrentNetwork(backend, sizes, method);
  let output: OutputLayer;
  try {
    output = createOutputLayer(tf, sizes.units, sizes.classes);
  } catch (error) {
    recurrent.dispose();
    throw error;
  }
  const { startPass } = recurrent;
  const logits: OutputLayer['logits'] = detoursOf(backend).clearsPadding
    ? (finalState) => clearPaddingOfGradient(tf, output.logits(finalState))
    : output.logits;
  const variables = { ...recurrent.variables, ...output.variables };
  return {
    variables,
    startPass,
    logits,
    differentiate:
      method === 'bptt'
        ? differentiateByHand(tf, variables)
        : differentiateByTape(tf, variables, startPass, logits),
    dispose: () => {
      recurrent.dispose();
      output.dispose();
    },
  };
}

/** @throws RangeError when there is no such method */
export function checkGradientMethod(method: GradientMethod, name: string): GradientMethod {
  if (['autodiff', 'bptt'].includes(method)) return method;
  throw new RangeError(`${name}: gradients is ${method}; there are autodiff and bptt, so pass one of those.`);
}

function startPassOf(tf: typeof Tf, layer: RecurrentLayer, method: GradientMethod): StartPass {
  return method === 'bptt' ? startBpttPass(tf, layer.variables) : layer.startPass;
}
