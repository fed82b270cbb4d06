import { zeros, type LayerConfig, type Tensor } from '../../scratch/index';
import { partsOfLayers } from '../base/model';
import type { ByLayer, LayeredEvaluation, LayeredProblem } from '../base/problem';
import type { FrameworkAnswer, FrameworkSource } from '../sides/frameworks/index';
import { apart, isOneWay, outputOf, showsBothWays } from './question';

/** What a framework answered to `questionOf(problem)`, under the names of the problem. */
export function answerOf(
  { model, inputs }: LayeredProblem,
  { layers, loss, gradients }: FrameworkAnswer<Tensor>,
): LayeredEvaluation {
  const parts = partsOfLayers(model);
  const configs = model.layers as readonly LayerConfig[];
  const at = ({ of, state }: FrameworkSource): Tensor =>
    state === undefined ? layers[of].output : layers[of].states![state];
  const last = parts.length - 1;
  const logits = at(outputOf(parts[last], configs[last]));
  return {
    sequences: parts.map(({ name }, i): ByLayer[number] => {
      if (isOneWay(configs[i])) return { h: layers[name].output };
      if (!showsBothWays(configs[i])) return {};
      const [forwardH, backwardH] = apart(layers[name].output);
      return { forwardH, backwardH };
    }),
    finalStates: parts.map(({ name, states }) =>
      Object.fromEntries(Object.keys(states).map((state, k) => [state, layers[name].states![k]])),
    ),
    logits,
    outputs: model.loss === 'meanSquaredError' ? logits : layers['outputs'].output,
    ...(loss && { loss: { data: loss.data, shape: [] } }),
    ...(gradients && {
      gradients: {
        weights: parts.map(({ name }) => gradients.weights[name] ?? {}),
        // nothing of the loss comes from a state or an input without a gradient
        initialStates: parts.map(({ name, states }) =>
          Object.fromEntries(
            Object.entries(states).map(([state, units]) => [
              state,
              gradients.inputs[`${name}.${state}`] ?? zeros(inputs.shape[0], units),
            ]),
          ),
        ),
        ...(configs[0].layer !== 'embedding' && {
          inputs: gradients.inputs['inputs'] ?? zeros(...inputs.shape),
        }),
      },
    }),
  };
}
