import { isLayered, type AnyProblem, type Phase } from '../base/problem';
import {
  equationsOf,
  isRecurrent,
  layerAndQuantity,
  phaseOf,
  type Cell,
  type Layer,
  type Network,
} from '../equations/index';
import type { FaultClass } from './diagnosis';
import type { LayerPlace } from './place';

/**
 * The part of the computation that a quantity belongs to, by its name in the equations. The output layer of the simple RNN belongs to the
 * loss; that of a network of layers is a layer like the others.
 */
export function phaseIn(problem: AnyProblem, own: string): Phase {
  const { network } = equationsOf(problem);
  const isOutput = layerAndQuantity(network, own).layer === 'head';
  return isOutput && !isLayered(problem) ? 'loss' : phaseOf(network, own);
}

/** What a layer of a network is called where a mistake is located: `layer 2 lstm, gate f, h`; of the simple RNN the tensor alone. */
export function whereInWords(
  problem: AnyProblem,
  tensor: string,
  place: LayerPlace | undefined,
  found: Pick<FaultClass, 'layer' | 'gate'> = {},
): string {
  if (isLayered(problem) && (place !== undefined || found.layer !== undefined)) {
    const title = layerTitle(equationsOf(problem).network, found.layer ?? place?.layer);
    const gate = found.gate ?? place?.gate;
    return [title, ...(gate === undefined ? [] : [`gate ${gate}`]), place?.quantity ?? tensor].join(', ');
  }
  return place?.tensor ?? tensor;
}

/**
 * The number of a layer, from 1 on: the two directions of a bidirectional layer, and what merges them, are one layer. Undefined for the
 * dense layer at the end and for the whole network.
 */
export function layerNumber(network: Network, name: string | undefined): number | undefined {
  let number = 0;
  const numbers = new Map<string, number>();
  for (const layer of network.layers) {
    const sibling = siblingsOf(network, layer).find((one) => numbers.has(one));
    numbers.set(layer.name, numbers.get(sibling ?? '') ?? ++number);
  }
  return numbers.get(name ?? '');
}

/** The layers that are one with it. */
function siblingsOf({ layers }: Network, layer: Layer): readonly string[] {
  if (!isRecurrent(layer)) return layer.of;
  return layers.flatMap((one) => (!isRecurrent(one) && one.of.includes(layer.name) ? one.of : []));
}

/** "layer 2 lstm", "layer 1 gru, backwards", "layer 1, merged", "the dense layer" */
export function layerTitle(network: Network, name: string | undefined): string {
  if (name === 'head') return 'the dense layer';
  const layer = network.layers.find((one) => one.name === name);
  if (layer === undefined) return 'the network';
  const number = `layer ${layerNumber(network, layer.name) ?? 0}`;
  if (!isRecurrent(layer)) return `${number}, merged`;
  const isPair = siblingsOf(network, layer).length > 0;
  const direction = layer.reversed === true ? ', backwards' : isPair ? ', forwards' : '';
  return `${number} ${wordOf(layer.cell)}${direction}`;
}

/** The cells of Keras by the words of its layers, `lstm`; a cell of the user's own as it is called. */
function wordOf({ name }: Cell): string {
  return /^(LSTM|GRU|simple RNN)\b/.test(name) ? name.toLowerCase() : name;
}
