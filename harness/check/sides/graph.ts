import { GraphNetwork, loadBackend } from '../../../src/index';
import type { LayerConfig, Tensor } from '../../../scratch/index';
import { precisionModels } from '../../budget/index';
import type { ModelLayer } from '../../models/index';
import { runLayer, withMaskedRows, type LayerRun } from '../reference';
import { AbsentSideError, type ModelSide, type Shown } from './side';

/**
 * The compiled graph: every layer with weights as a graph of its own, from what the graph gave before. What stands between these layers
 * (masking, repeating, softmax ...) is computed by its formula and rounded: it is not shown, as it proves nothing about the graph.
 *
 * @throws AbsentSideError when TensorFlow's native library is not on this machine
 */
export async function openGraphSide(): Promise<ModelSide> {
  const backend = await loadBackend('tensorflow').catch((error: unknown) => {
    throw new AbsentSideError((error as Error).message, { cause: error });
  });
  return {
    name: 'graph',
    version: backend.version,
    model: precisionModels.tensorflow,
    run(model, inputs) {
      const runs = new Map<string, LayerRun>(
        model.inputs.map(({ name }) => [name, { output: inputs[name], states: [], mask: undefined }]),
      );
      const shown = new Map<string, Shown>();
      for (const layer of model.layers) {
        const before = runs.get(layer.reads.of)!;
        const at = ({ of, state }: ModelLayer['reads']): Tensor => {
          const found = runs.get(of)!;
          return state === undefined ? found.output : found.states[state];
        };
        const states = (layer.initialStates ?? []).map(at);
        const input = { ...before, output: at(layer.reads) };
        const exact = runLayer(layer, input, states);
        const { config } = layer;
        if (!isNetworkLayer(config)) {
          runs.set(layer.name, { ...exact, output: rounded(exact.output) });
          continue;
        }
        const own = inGraph(config, layer, input, states);
        shown.set(layer.name, own);
        runs.set(layer.name, { output: own.output, states: own.states, mask: exact.mask });
      }
      return Promise.resolve(shown);
    },
  };

  function inGraph(
    config: LayerConfig,
    { weights, maskedRows = 'state' }: ModelLayer,
    input: LayerRun,
    states: readonly Tensor[],
  ) {
    const { shape, data } = input.output;
    const isEmbedding = config.layer === 'embedding';
    const hasTime = isEmbedding || shape.length === 3;
    const isRecurrent = config.layer !== 'dense' && config.layer !== 'timeDistributed' && !isEmbedding;
    const mask = isRecurrent && maskedRows !== 'unmasked' ? input.mask : undefined;
    const network = new GraphNetwork({
      backend,
      loop: 'while',
      loss: 'meanSquaredError',
      ...(!isEmbedding && { features: shape[shape.length - 1] }),
      layers: [config],
      weights: [weights],
    });
    try {
      const given = hasTime ? input.output : { data, shape: [shape[0], 1, shape[1]] };
      const { outputs, finalStates } = network.predict(given, {
        ...(mask && { mask }),
        ...(states.length > 0 && { initialStates: [states] }),
      });
      const output = hasTime
        ? outputs
        : { data: outputs.data, shape: [shape[0], outputs.data.length / shape[0]] };
      return {
        output: mask === undefined ? output : withMaskedRows(config, output, mask, maskedRows),
        states: finalStates[0],
      };
    } finally {
      network.dispose();
    }
  }
}

function isNetworkLayer(config: ModelLayer['config']): config is LayerConfig {
  return ['simpleRNN', 'lstm', 'gru', 'bidirectional', 'dense', 'timeDistributed', 'embedding'].includes(
    config.layer,
  );
}

const rounded = ({ data, shape }: Tensor): Tensor => ({ data: data.map(Math.fround), shape });
