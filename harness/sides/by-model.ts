import {
  zeros,
  type LayersNetwork,
  type NetworkOptions,
  type NetworkQuestion,
  type Tensor,
} from '../../scratch/index';
import type { ByLayer, LayeredEvaluation, LayeredImplementation, LayeredProblem } from '../base/problem';
import { networkConfigOf, partsOfLayers, type LayerParts, type Model } from '../base/model';

/** Any network of layers as an implementation. */
export interface ByModel extends Omit<LayeredImplementation, 'evaluate'> {
  evaluate(problem: LayeredProblem): LayeredEvaluation;
  /** Disposes the networks that are kept. */ dispose(): void;
}

/**
 * Any network of layers as an implementation: it is built from a problem's description and asked.
 *
 * @param kept how many networks live on for the next problem about the same model, which gives them its weights: worth it where
 * building is dear, as a graph is compiled. Dispose the implementation then. 0: a network is disposed after its answer
 */
export function byModel(create: (options: NetworkOptions) => LayersNetwork, kept = 0): ByModel {
  const networks = new Map<string, LayersNetwork>();
  const reason = (model: Model): string | undefined =>
    networkConfigOf(model) === undefined
      ? "it cannot run a user's own cell, which exists as formulas only"
      : undefined;
  /** Puts it behind all others, so that the network that is not used for longest is the first. */
  const keep = (key: string, network: LayersNetwork): void => {
    networks.set(key, network);
    if (networks.size <= kept) return;
    const [oldest, unused] = networks.entries().next().value!;
    networks.delete(oldest);
    unused.dispose();
  };
  return {
    refuses: reason,
    evaluate(problem) {
      const config = networkConfigOf(problem.model);
      if (config === undefined) throw new RangeError(`problem ${problem.id}: ${reason(problem.model) ?? ''}`);
      const key = JSON.stringify(config);
      const before = networks.get(key);
      networks.delete(key);
      before?.setWeights(problem.weights);
      const network = before ?? create({ ...config, weights: problem.weights });
      try {
        const answer = answerOf(network, problem);
        keep(key, network);
        return answer;
      } catch (error) {
        network.dispose();
        throw error;
      }
    },
    dispose() {
      for (const network of networks.values()) network.dispose();
      networks.clear();
    },
  };
}

/** The network's answer under the names of the problem's layers. */
function answerOf(network: LayersNetwork, problem: LayeredProblem): LayeredEvaluation {
  const layers = partsOfLayers(problem.model);
  const {
    loss,
    gradients,
    finalStates,
    sequences = [],
    logits,
    outputs,
  } = network.run(problem.inputs, questionOf(problem, layers));
  const states = (lists: readonly (readonly Tensor[])[]): ByLayer =>
    layers.map(({ states: own }, i) => named(Object.keys(own), lists[i]));
  return {
    sequences: layers.map(({ outputs: own }, i) => named(own, sequences[i])),
    finalStates: states(finalStates),
    logits,
    outputs,
    ...(loss !== undefined && { loss: { data: Float64Array.of(loss), shape: [] } }),
    ...(gradients && {
      gradients: {
        weights: gradients.weights,
        initialStates: states(gradients.initialStates),
        ...(gradients.inputs && { inputs: gradients.inputs }),
      },
    }),
  };
}

function questionOf(problem: LayeredProblem, layers: readonly LayerParts[]): NetworkQuestion {
  const { mask, labels, targets, upstream, initialStates, inputs } = problem;
  const { hasTime } = layers[layers.length - 1].output;
  const [batch, timeSteps] = inputs.shape;
  const lists = (tensors: ByLayer, names: (one: LayerParts) => readonly string[]): Tensor[][] =>
    layers.map((one, i) => {
      const given: Partial<ByLayer[number]> = tensors[i];
      // all of a layer's states or none
      const [some] = Object.values(given);
      return some === undefined ? [] : names(one).map((name) => given[name] ?? zeros(...some.shape));
    });
  const states = (one: LayerParts): readonly string[] => Object.keys(one.states);
  return {
    sequences: true,
    ...(mask && { mask }),
    ...(initialStates && { initialStates: lists(initialStates, states) }),
    ...(labels && {
      targets: hasTime ? { data: Float64Array.from(labels), shape: [batch, timeSteps] } : labels,
    }),
    ...(targets && { targets }),
    ...(upstream && {
      upstream: {
        ...(upstream.logits && { logits: upstream.logits }),
        ...(upstream.finalStates && { finalStates: lists(upstream.finalStates, states) }),
        ...(upstream.sequences && { sequences: lists(upstream.sequences, (one) => one.outputs) }),
      },
    }),
  };
}

function named(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, k) => [name, tensors[k]]));
}
