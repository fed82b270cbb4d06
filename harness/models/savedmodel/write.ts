import { ServingGraph, type ServedSignal } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import type { ModelDescription, ModelLayer, Source } from '../description';
import { givesSteps } from '../shapes';

/** How often a row may be repeated: each copy is an input of one operation. */
const mostTimes = 10_000;

/**
 * A model as a SavedModel of TensorFlow with the signature `serving_default`, which TensorFlow Serving and `tf.saved_model.load` run. Inputs
 * have the names of the model's, outputs those of the layers that give them.
 *
 * @returns the bytes of saved_model.pb
 * @throws UsageError that names what the graph cannot do
 */
export function toSavedModel(model: ModelDescription, where = 'the model'): Buffer {
  const graph = new ServingGraph();
  const made = new Map<string, { readonly output: ServedSignal; readonly states: readonly ServedSignal[] }>();
  for (const { name, shape, vocabulary } of model.inputs)
    made.set(name, { output: graph.input(servedName(name), shape, vocabulary !== undefined), states: [] });
  const at = ({ of, state }: Source): ServedSignal => {
    const { output, states } = made.get(of)!;
    return state === undefined ? output : states[state];
  };
  for (const layer of model.layers)
    made.set(
      layer.name,
      servedLayer(graph, layer, at(layer.reads), (layer.initialStates ?? []).map(at), where),
    );
  const outputs = model.outputs.map(servedOutput);
  for (const [names, sources] of [
    [model.inputs.map(({ name }) => servedName(name)), model.inputs.map(({ name }) => name)],
    [outputs, model.outputs.map(({ of, state }) => `${of} ${state ?? ''}`)],
  ] as const)
    names.forEach((name, i) => {
      const first = names.indexOf(name);
      if (sources[first] !== sources[i])
        throw new UsageError(
          `${where}: ${sources[first].trim()} and ${sources[i].trim()} would both be called ${name} in the SavedModel; rename one.`,
        );
    });
  const named = Object.fromEntries(outputs.map((name, i) => [name, at(model.outputs[i])]));
  return Buffer.from(graph.finish(named));
}

/** A name in the signature: TensorFlow's names have letters, digits and some signs. */
export const servedName = (name: string): string =>
  name.replace(/^[^A-Za-z0-9]+/, '').replace(/[^A-Za-z0-9_.]/g, '_') || 'layer';

/** The name of an output in the signature. */
export const servedOutput = ({ of, state }: Source): string =>
  servedName(state === undefined ? of : `${of}_state_${state}`);

function servedLayer(
  graph: ServingGraph,
  layer: ModelLayer,
  input: ServedSignal,
  initialStates: readonly ServedSignal[],
  where: string,
): { readonly output: ServedSignal; readonly states: readonly ServedSignal[] } {
  const { config, weights, maskedRows = 'state' } = layer;
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where}: layer ${layer.name} (${layer.kind}) ${what}, which is not written as a SavedModel.`,
    );
  const only = (output: ServedSignal) => ({ output, states: [] });
  switch (config.layer) {
    case 'masking':
      return only(graph.masking(Math.fround(config.maskValue), input));
    case 'identity':
      return only(input);
    case 'repeatVector':
      if (config.times > mostTimes)
        throw refuse(`repeats a row ${config.times} times, more than ${mostTimes}`);
      return only(graph.repeat(config.times, input));
    case 'flatten':
      return only(graph.flatten(input));
    case 'lastStep':
      return only(graph.lastStep(input));
    case 'activation':
      return only(graph.activation(config.activation, input));
    case 'batchNormalization': {
      const { gamma, beta, movingMean, movingVariance } = weights as Readonly<Partial<typeof weights>>;
      // gamma (x - mean) / sqrt(variance + epsilon) + beta as one product and one sum
      const scale = movingVariance!.data.map(
        (variance, n) => (gamma?.data[n] ?? 1) / Math.sqrt(variance + config.epsilon),
      );
      const shift = movingMean!.data.map((mean, n) => (beta?.data[n] ?? 0) - mean * scale[n]);
      return only(graph.affine(scale, shift, input));
    }
    default: {
      const isMasked = input.mask !== undefined && maskedRows !== 'unmasked';
      if (isMasked && maskedRows === 'zero' && !givesSteps(config))
        throw refuse(
          'gives zeros where its last step is masked (zero_output_for_mask without return_sequences)',
        );
      if (isMasked && maskedRows === 'output' && initialStates.length > 0)
        throw refuse('has initial states, and zeros at masked steps before the first one that exists');
      return graph.layer(servedName(layer.name), config, weights, input, {
        initialStates,
        zeroMasked: maskedRows === 'zero',
        sees: maskedRows !== 'unmasked',
      });
    }
  }
}
