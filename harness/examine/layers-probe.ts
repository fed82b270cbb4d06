import { zeros, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { layeredTables } from '../base/layered';
import type { ByLayer, LayeredProblem } from '../base/problem';
import { equationsOf, instrument, isRecurrent } from '../equations/index';
import { hasBackward, withMoreFeatures } from '../judge/index';
import { atLevels, type ProbeExample } from './probe-problem';
import { probeSettings } from './probe-settings';

/**
 * A problem of one time step that shows single weights of the layer that reads the inputs, and of what stands on it: an example for each
 * row and column of its matrices, in the settings in which they show best (`probeSettings`). Gradients arrive at its final states
 * only, and only where the problem has a backward pass.
 *
 * @returns undefined where the first layer cannot be led to such settings: an embedding reads integers, a dense layer has no states
 */
export const layersProbe: (problem: LayeredProblem) => LayeredProblem | undefined = memoize(makeProbe);

function makeProbe(given: LayeredProblem): LayeredProblem | undefined {
  if (!led.has(given.model.layers[0].layer)) return undefined;
  const { network, problem, names } = equationsOf(given);
  const isBackward = hasBackward(given);
  const wider = instrument(network, { inputs: zeros(1, 1, network.features), weights: problem.weights });
  if (wider === undefined) return undefined;
  const readers = network.layers.filter(isRecurrent).filter(({ reads }) => reads === 'inputs');
  const examples = readers.flatMap(({ name, cell, units }) =>
    probeSettings(cell, isBackward).flatMap((setting): ProbeExample[] => {
      const count = { unit: units, input: network.features, all: 1 }[setting.about];
      return Array.from({ length: count }, (_, own) => ({ layer: name, setting, own }));
    }),
  );
  const asked = atLevels(wider, examples, isBackward);
  const { initialStates, upstream } = asked.problem;
  const statesOf = (find: (layer: string, carry: string) => Tensor | undefined): ByLayer =>
    layeredTables(given).layers.map(({ name, states }) =>
      Object.fromEntries(
        Object.keys(states).flatMap((state) => {
          const [own = ''] = names.get(`finalStates.${name}.${state}`) ?? [];
          const [, layer, carry] = own.split('.');
          const tensor = find(layer, carry);
          return tensor === undefined ? [] : [[state, tensor]];
        }),
      ),
    );
  const { model, inputs, weights } = withMoreFeatures(given, asked);
  const plain = {
    id: `${given.id}, weight probe`,
    model,
    inputs,
    weights,
    initialStates: statesOf((layer, carry) => initialStates?.[layer]?.[carry]),
  };
  if (!isBackward) return plain;
  const finalStates = statesOf((layer, carry) => upstream?.[layer]?.final?.[carry]);
  const last = model.layers[model.layers.length - 1].layer;
  // gradients of zero arrive at a dense layer, so that it has gradients of its own
  const logits = (layeredTables(plain).parts.get('upstream.logits') ?? []).map(({ size }) => size);
  const isDense = last === 'dense' || last === 'timeDistributed';
  return { ...plain, upstream: { finalStates, ...(isDense && { logits: zeros(...logits) }) } };
}

/** First layers whose initial states can be given, and which can read additional inputs. */
const led: ReadonlySet<string> = new Set(['simpleRNN', 'lstm', 'gru', 'bidirectional', 'cell']);
