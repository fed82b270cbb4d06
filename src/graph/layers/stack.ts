import type { LayerConfig } from '../../../scratch/index';
import type { GraphBuilder, GraphTensor } from '../builder/index';
import type { Tensors } from '../cells/index';
import type { Sizes, WalkThroughTime } from '../time/index';
import { bidirectionalLayer } from './bidirectional';
import { denseLayer } from './dense';
import { embeddingLayer } from './embedding';
import type { GraphLayer, LayerPass, LayerUpstream, Signal } from './layer';
import { recurrentLayer } from './recurrent';

/** Something for each layer. */
export type ByLayer<T> = readonly (readonly T[])[];

/** All layers applied to one batch, and the way back. */
export interface StackPass {
  readonly output: Signal;
  readonly passes: readonly LayerPass[];
  backward(upstream: {
    readonly output: GraphTensor | undefined;
    readonly finalStates: ByLayer<GraphTensor | undefined>;
    readonly sequences: ByLayer<GraphTensor | undefined>;
  }): {
    readonly weights: readonly Tensors[];
    readonly input: GraphTensor;
    readonly initialStates: ByLayer<GraphTensor>;
  };
}

/** Layers on layers, built on their weights. */
export function stackOf(
  g: GraphBuilder,
  configs: readonly LayerConfig[],
  weights: readonly Tensors[],
  walk: WalkThroughTime,
): (input: Signal, initialStates: ByLayer<GraphTensor | undefined>, sizes: Sizes) => StackPass {
  const nameOf = (i: number): string => `${configs[i].layer}${i + 1}`;
  const layers = configs.map((config, i) => g.scope(nameOf(i), () => layerOf(config, walk)(g, weights[i])));
  return (input, initialStates, sizes) => {
    let signal = input;
    const passes = layers.map((layer, i) => {
      const pass = g.scope(nameOf(i), () => layer(signal, initialStates[i], sizes));
      signal = pass.output;
      return pass;
    });
    return {
      output: signal,
      passes,
      backward: ({ output, finalStates, sequences }) => {
        let arriving = output;
        const gradients = passes.toReversed().map((pass, n) => {
          const i = passes.length - 1 - n;
          const upstream: LayerUpstream = {
            output: arriving,
            finalStates: finalStates[i],
            sequences: sequences[i],
          };
          const made = g.scope(`${nameOf(i)}/backward`, () => pass.backward(upstream));
          arriving = made.input;
          return made;
        });
        gradients.reverse();
        return {
          weights: gradients.map((of) => of.weights),
          input: gradients[0].input,
          initialStates: gradients.map((of) => of.initialStates),
        };
      },
    };
  };
}

function layerOf(config: LayerConfig, walk: WalkThroughTime): GraphLayer {
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return recurrentLayer(config, walk);
    case 'bidirectional':
      return bidirectionalLayer(config, walk);
    case 'dense':
      return denseLayer(config);
    case 'timeDistributed':
      return denseLayer(config.wrapped);
    case 'embedding':
      return embeddingLayer(config);
  }
}
