import type { Phase } from '../base/problem';
import { isGradientName, isRecurrent, type Network } from './network';

/** The layer of a name of the outcome, or of `judgeSteps`, and its quantity there: `rnn` and `dz[f]`, `head` and `gradients.kernel`. */
export function layerAndQuantity(network: Network, name: string): { layer?: string; quantity: string } {
  for (const prefix of ['', 'final.', 'gradients.'])
    for (const layer of ['head', ...network.layers.map((one) => one.name)]) {
      if (name.startsWith(`${prefix}${layer}.`))
        return { layer, quantity: prefix + name.slice(prefix.length + layer.length + 1) };
      if (prefix === 'final.' && name === `states.${layer}`) return { layer, quantity: 'output' };
    }
  if (['logits', 'outputs', 'loss'].includes(name)) return { layer: 'head', quantity: name };
  const readers = network.layers.filter((layer) => isRecurrent(layer) && layer.reads === 'inputs');
  if (name === 'gradients.inputs' && readers.length === 1) return { layer: readers[0].name, quantity: name };
  return { quantity: name };
}

/** The part of the computation that a quantity belongs to. */
export function phaseOf(network: Network, name: string): Phase {
  if (name === 'loss') return 'loss';
  return isGradientName(network, name) ? 'backward' : 'forward';
}

/**
 * The place of a quantity in the order of the computation: layers from the first to the last, then the output, then back again; infinite for a
 * name that the network does not have.
 */
export function rankOf(network: Network, name: string): number {
  const { layer, quantity } = layerAndQuantity(network, name);
  const count = network.layers.length;
  const at = network.layers.findIndex((one) => one.name === layer);
  if (quantity === 'loss') return 2 * count + 3;
  if (phaseOf(network, name) !== 'backward') {
    if (at >= 0) return 2 * at + (quantity.startsWith('final') ? 1 : 0);
    const output = ['logits', 'outputs'].indexOf(quantity);
    return output < 0 ? Infinity : 2 * count + output;
  }
  // the gradient with respect to the inputs is what the first layers send down
  const back = at >= 0 ? count - at : layer === 'head' ? 0 : count + 1;
  const own =
    name === 'gradients.inputs'
      ? 3
      : quantity.startsWith('gradients.initial')
        ? 1
        : quantity.startsWith('gradients')
          ? 2
          : 0;
  return 2 * count + 10 + 4 * back + own;
}
