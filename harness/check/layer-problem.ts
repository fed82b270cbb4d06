import type { LayerConfig, Tensor } from '../../scratch/index';
import { isLayerConfig } from '../base/model';
import type { ByLayer, LayeredEvaluation, LayeredProblem } from '../base/problem';
import { statesOf, type ModelLayer } from '../models/index';
import { maskAfter, seenMask, withMaskedRows } from './masks';
import type { Arriving, LayerQuestion, LayerRun, Sent } from './walk';

/** A layer with weights. */
export interface WeightedLayer extends Pick<ModelLayer, 'weights' | 'maskedRows'> {
  readonly config: LayerConfig;
}

export const isWeighted = <L extends Pick<ModelLayer, 'config'>>(layer: L): layer is L & WeightedLayer =>
  isLayerConfig(layer.config);

/** The names of the states that a layer carries: h, or h and c; of both directions. */
export const carriedBy = (config: LayerConfig): readonly string[] => Object.keys(statesOf(config));

/**
 * A layer by itself as a network of one layer, which every side and the formulas of the judge know. A layer without a time axis runs on
 * one step, and the rows of masked steps are those of the network: its state (`maskedRows`).
 *
 * @param arriving asks for the gradients that it sends on
 */
export function problemOfLayer(
  { config, weights }: WeightedLayer,
  { input, mask, initialStates }: LayerQuestion,
  arriving?: Arriving,
): LayeredProblem {
  const [batch, ...sizes] = input.shape;
  const isEmbedding = config.layer === 'embedding';
  const hasTime = isEmbedding || sizes.length === 2;
  const asSteps = ({ data, shape }: Tensor): Tensor =>
    hasTime ? { data, shape } : { data, shape: [batch, 1, data.length / batch] };
  const model = {
    ...(!isEmbedding && { features: sizes[sizes.length - 1] }),
    layers: [config.layer === 'timeDistributed' && !hasTime ? config.wrapped : config],
    loss: 'meanSquaredError' as const,
  };
  const byName = (tensors: readonly (Tensor | undefined)[]) => [
    Object.fromEntries(
      carriedBy(config).flatMap((state, i) => {
        const tensor = tensors.at(i);
        return tensor === undefined ? [] : [[state, tensor] as const];
      }),
    ),
  ];
  return {
    ...{ id: 'layer', model, inputs: asSteps(input), weights: [weights] },
    ...(mask && { mask }),
    ...(initialStates.length > 0 && { initialStates: byName(initialStates) }),
    ...(arriving && {
      upstream: {
        ...(arriving.output && { logits: asSteps(arriving.output) }),
        finalStates: byName(arriving.states),
      },
    }),
  };
}

/** The problem of a layer in a model: it goes by a mask where it sees one, and nothing arrives at the rows that become zeros. */
export function askedOf(layer: WeightedLayer, question: LayerQuestion, arriving?: Arriving): LayeredProblem {
  const seen = seenMask(layer, question.mask);
  return problemOfLayer(
    layer,
    { ...question, mask: seen },
    arriving && { ...arriving, output: arriving.output && inModel(layer, arriving.output, seen) },
  );
}

/** What a network of one layer gave, as the layer gives it in a model. */
export function runOf(
  layer: WeightedLayer,
  question: LayerQuestion,
  { outputs, finalStates }: LayeredEvaluation,
): LayerRun {
  const { input } = question;
  const isStep = layer.config.layer !== 'embedding' && input.shape.length === 2;
  const { data, shape } = outputs!;
  const output = isStep ? { data, shape: [shape[0], data.length / shape[0]] } : { data, shape };
  return {
    output: inModel(layer, output, seenMask(layer, question.mask)),
    states: inOrder(layer, finalStates),
    mask: maskAfter(layer.config, question),
  };
}

/** What a network of one layer sent back. */
export function sentOf(
  layer: WeightedLayer,
  { input: { shape } }: LayerQuestion,
  { gradients: { inputs, initialStates, weights: [weights] = [{}] } = {} }: LayeredEvaluation,
): Sent {
  return {
    input: inputs && { data: inputs.data, shape },
    states: inOrder(layer, initialStates),
    weights,
  };
}

const inOrder = ({ config }: WeightedLayer, [states = {}]: ByLayer = []): readonly Tensor[] =>
  carriedBy(config).map((name) => states[name]);

const inModel = (
  { config, maskedRows = 'state' }: WeightedLayer,
  output: Tensor,
  seen: Tensor | undefined,
): Tensor => (seen === undefined ? output : withMaskedRows(config, output, seen, maskedRows));
