import type { StackWeights, Tensor } from '../../../scratch/index';
import type { FrameworkName } from '../../base/framework-names';
import { UsageError } from '../../base/outcome';
import { mapRecord } from '../../base/process/index';
import { ProblemRefusedError } from '../../base/side-errors';
import { precisionModels, withCustomaryForms, type PrecisionModel } from '../../budget/index';
import { questionOf } from '../../frameworks/index';
import { toOnnx } from '../../models/index';
import {
  Framework,
  FrameworkRefusal,
  type FrameworkAnswer,
  type FrameworkOptions,
} from '../../sides/frameworks/index';
import {
  type ModelSide,
  type Shown,
  type ShownGradients,
  type TrainingAnswer,
  type TrainingQuestion,
} from './side';

/** A program in single precision that was never measured, in any customary form. */
export const unknownProgram: PrecisionModel = withCustomaryForms(precisionModels.any) ?? precisionModels.any;

export interface FrameworkSideOptions extends FrameworkOptions {
  /** the user's file: Keras opens its own files itself */ readonly file?: string | undefined;
}

/**
 * Keras, PyTorch or ONNX Runtime, in a Python of the user: every layer as the framework's own layer; ONNX Runtime gets the model as the
 * file that `convert --to onnx` writes, with every layer as an output of the graph.
 *
 * @throws SideUnavailableError when there is no Python, or the framework is not installed in it
 */
export async function openFrameworkSide(
  name: FrameworkName,
  { file, ...options }: FrameworkSideOptions,
): Promise<ModelSide> {
  const framework = await Framework.start(name, options);
  return {
    name,
    version: framework.version,
    model: unknownProgram,
    async run({ model, inputs, upstream }) {
      // a file with a policy of mixed precision would run in float16
      const isMixed = model.notes.some((note) => note.includes('dtype policy'));
      const isOwnFile = name === 'keras' && !isMixed && (model.format === 'keras' || model.format === 'h5');
      try {
        const { layers, gradients, note } = await framework.run({
          modelInputs: model.inputs,
          layers: model.layers,
          inputs,
          ...(upstream && { upstream }),
          // the weights are in the file then
          ...(name === 'onnxruntime' && {
            layers: model.layers.map((layer) => ({ ...layer, weights: {} })),
            onnx: toOnnx(model, 'the model', { showAll: true }).toString('base64'),
          }),
          ...(isOwnFile && file !== undefined && { file }),
        });
        return {
          layers: new Map(Object.entries(layers)),
          ...(gradients && { gradients: shownGradients(gradients) }),
          ...(note !== undefined && { note }),
        };
      } catch (error) {
        if (error instanceof FrameworkRefusal || error instanceof UsageError)
          throw new ProblemRefusedError(error.message, { cause: error });
        throw error;
      }
    },
    ...(name !== 'onnxruntime' && {
      train: (question: TrainingQuestion) => trainIn(framework, name, question),
    }),
    close: () => framework.stop(),
  };
}

/** One update by the framework's own optimizer. Weights and memory go there by the names of the layers: in a chain layer1, layer2, ... */
async function trainIn(
  framework: Framework,
  name: FrameworkName,
  training: TrainingQuestion,
): Promise<TrainingAnswer> {
  const { optimizer, step, slots } = training;
  const isChain = 'problem' in training;
  try {
    const question = isChain
      ? questionOf(training.problem, name)
      : {
          modelInputs: training.model.inputs,
          layers: training.model.layers,
          inputs: training.inputs,
          upstream: training.upstream,
        };
    const layers = question.layers.flatMap((layer) =>
      Object.keys(layer.weights).length > 0 ? [layer.name] : [],
    );
    const named = (byLayer: StackWeights) =>
      Object.fromEntries(byLayer.map((weights, i) => [layers[i], weights]));
    const inOrder = (found: Readonly<Record<string, StackWeights[number]>>): StackWeights =>
      layers.map((layer) => found[layer] ?? {});
    const { loss, trained } = await framework.run({
      ...question,
      training: { optimizer, step, slots: mapRecord(slots, named) },
    });
    if (trained === undefined || (isChain && loss === undefined))
      throw new ProblemRefusedError(`${name} gave no weights after the update.`);
    return {
      ...(loss && { loss: loss.data[0] }),
      weights: inOrder(trained.weights),
      slots: mapRecord(trained.slots, inOrder),
    };
  } catch (error) {
    if (error instanceof FrameworkRefusal) throw new ProblemRefusedError(error.message, { cause: error });
    throw error;
  }
}

function shownGradients({
  weights,
  outputs,
  inputs,
}: NonNullable<FrameworkAnswer<Tensor>['gradients']>): ShownGradients {
  const shown = Object.entries(outputs).map(([layer, { output, states }]): [string, Shown] => [
    layer,
    { ...(output && { output }), states: states.map((state) => state ?? undefined) },
  ]);
  return { weights: new Map(Object.entries(weights)), outputs: new Map(shown), inputs };
}
