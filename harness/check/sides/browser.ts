import type { Tensor } from '../../../scratch/index';
import { precisionModelOf } from '../../budget/index';
import { partsOfLayers } from '../../base/model';
import type { LayeredImplementation, LayeredProblem } from '../../base/problem';
import { SideUnavailableError } from '../../base/side-errors';
import { remoteSide } from '../../sides/remote/index';
import { runByLayers, type LayerNetwork, type LayerOptions, type LayerQuestion } from './network';
import { AbsentSideError, CannotRunError, type ModelSide } from './side';

/**
 * The op-by-op twin on a device of a browser: every layer with weights as a network of its own.
 *
 * @param name `browser:webgl`
 * @throws AbsentSideError when there is no Chromium, or it does not have the device
 */
export async function openBrowserSide(name: string): Promise<ModelSide> {
  const { implementation, version = '' } = await remoteSide(name, true)
    .open()
    .catch((error: unknown) => {
      throw error instanceof SideUnavailableError
        ? new AbsentSideError(error.message, { cause: error })
        : error;
    });
  const { layered } = implementation;
  if (layered === undefined) {
    implementation.dispose?.();
    throw new CannotRunError(`${name} runs no networks of layers.`);
  }
  return {
    name,
    version,
    model: precisionModelOf(implementation),
    run: (question) => runByLayers((options) => networkOn(layered, options), question),
    close: () => {
      implementation.dispose?.();
      return Promise.resolve();
    },
  };
}

/** One layer as problems for the page: it keeps nothing there between two questions. */
function networkOn(
  side: LayeredImplementation,
  { loss, features, layers, weights }: LayerOptions,
): LayerNetwork {
  const model = { layers, ...(loss && { loss }), ...(features !== undefined && { features }) };
  const [{ name, states }] = partsOfLayers(model);
  const carried = Object.keys(states);
  const byName = ([tensors = []]: readonly (readonly Tensor[])[]) => [
    Object.fromEntries(carried.map((state, i) => [state, tensors[i]])),
  ];
  const inOrder = ([named = {}]: readonly Readonly<Record<string, Tensor>>[]) => [
    carried.map((state) => named[state]),
  ];
  const ask = async (inputs: Tensor, { mask, initialStates, upstream }: LayerQuestion) => {
    const { logits, finalStates } = upstream ?? {};
    const problem: LayeredProblem = {
      ...{ id: name, model, inputs, weights },
      ...(mask && { mask }),
      ...(initialStates && { initialStates: byName(initialStates) }),
      ...(upstream && {
        upstream: { ...(logits && { logits }), ...(finalStates && { finalStates: byName(finalStates) }) },
      }),
    };
    const answer = await side.evaluate(problem);
    if (answer.outputs === undefined) throw new CannotRunError('the page gave no outputs.');
    const { gradients } = answer;
    return {
      outputs: answer.outputs,
      finalStates: inOrder(answer.finalStates ?? []),
      ...(gradients && {
        gradients: {
          weights: gradients.weights ?? [],
          ...(gradients.inputs && { inputs: gradients.inputs }),
          initialStates: inOrder(gradients.initialStates ?? []),
        },
      }),
    };
  };
  return { predict: ask, run: ask, dispose: () => undefined };
}
