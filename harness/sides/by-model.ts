import {
  zeros,
  type LayersNetwork,
  type NetworkAnswer,
  type NetworkOptions,
  type NetworkQuestion,
  type Tensor,
} from '../../scratch/index';
import type { TfNetwork } from '../../src/index';
import type { ByLayer, LayeredEvaluation, LayeredImplementation, LayeredProblem } from '../base/problem';
import { networkConfigOf, partsOfLayers, type LayerParts, type Model } from '../base/model';

/** Any network of layers as an implementation: it is built from a problem's description, asked, and disposed. */
export function byModel(
  create: (options: NetworkOptions) => LayersNetwork,
): Omit<LayeredImplementation, 'evaluate'> & { evaluate(problem: LayeredProblem): LayeredEvaluation } {
  return {
    refuses: ownCellRefused,
    evaluate(problem) {
      const network = create(optionsOf(problem));
      try {
        return answerOf(problem, network.run(problem.inputs, questionOf(problem)));
      } finally {
        network.dispose();
      }
    },
  };
}

/** The same with asynchronous reads, for a GPU. */
export function byModelAsync(
  create: (options: NetworkOptions) => Pick<TfNetwork, 'runAsync' | 'dispose'>,
): LayeredImplementation {
  return {
    refuses: ownCellRefused,
    async evaluate(problem) {
      const network = create(optionsOf(problem));
      try {
        return answerOf(problem, await network.runAsync(problem.inputs, questionOf(problem)));
      } finally {
        network.dispose();
      }
    },
  };
}

const ownCell = "it cannot run a user's own cell, which exists as formulas only";

/** Why no network runs a model with a user's own cell; undefined for any other model. */
export function ownCellRefused(model: Model): string | undefined {
  return networkConfigOf(model) === undefined ? ownCell : undefined;
}

function optionsOf({ id, model, weights }: LayeredProblem): NetworkOptions {
  const config = networkConfigOf(model);
  if (config === undefined) throw new RangeError(`problem ${id}: ${ownCell}`);
  return { ...config, weights };
}

/** The network's answer under the names of the problem's layers. */
function answerOf(
  { model }: LayeredProblem,
  { loss, gradients, finalStates, sequences = [], logits, outputs }: NetworkAnswer,
): LayeredEvaluation {
  const layers = partsOfLayers(model);
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

function questionOf(problem: LayeredProblem): NetworkQuestion {
  const layers = partsOfLayers(problem.model);
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
