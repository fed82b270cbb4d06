import {
  NetworkPlan,
  type LayerConfig,
  type NetworkConfig,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import { asUsage, UsageError } from '../base/outcome';
import type { ModelDescription, ModelLayer, ModelLayerConfig, Size } from './description';
import { classNames, counter, fields, snakeOfClass } from './keras/fields';

/** A model that is one chain of layers of scratch/: what the networks of every side are built from. */
export interface ModelNetwork {
  readonly config: NetworkConfig;
  /** by layer */ readonly weights: StackWeights;
  /** of a Masking layer before the first: steps whose features all equal it do not exist */ readonly maskValue?: number;
}

/**
 * A network as a model: what the writers of every format take. The activation of its loss (softmax, sigmoid) stands at its end.
 *
 * @param maskValue writes a Masking layer before the first
 */
export function describeNetwork({ config, weights, maskValue }: ModelNetwork): ModelDescription {
  const plan = new NetworkPlan(config, 'describeNetwork');
  const count = counter();
  const layers: ModelLayer[] = [];
  const input = { name: 'input', shape: plan.vocabulary === undefined ? [null, plan.features] : [null] };
  let output: readonly Size[] = input.shape;
  const add = (kind: string, own: ModelLayerConfig, given: ModelLayer['weights'], name?: string): void => {
    layers.push({
      name: count(name ?? snakeOfClass(kind)),
      kind,
      config: own,
      reads: { of: layers.at(-1)?.name ?? input.name },
      weights: given,
      output,
      maskedRows: 'state',
    });
  };
  if (maskValue !== undefined) add('Masking', { layer: 'masking', maskValue }, {});
  const last = plan.config.layers[plan.config.layers.length - 1];
  const isPlainDense = last.layer === 'dense' && (last.activation ?? 'linear') === 'linear';
  plan.config.layers.forEach((own, i) => {
    const { width, hasTime } = plan.layers[i].output;
    output = hasTime ? [null, width] : [width];
    const isSigmoid = own === last && isPlainDense && plan.loss === 'sigmoidCrossEntropy';
    add(classNames[own.layer], isSigmoid ? { ...last, activation: 'sigmoid' } : own, weights[i]);
  });
  if (plan.loss === 'softmaxCrossEntropy')
    // what stands after a dense layer is written as its activation
    add('Softmax', { layer: 'activation', activation: 'softmax' }, {}, isPlainDense ? `${layers[layers.length - 1].name}:softmax` : 'softmax'); // prettier-ignore
  if (plan.loss === 'sigmoidCrossEntropy' && !isPlainDense)
    add('Activation', { layer: 'activation', activation: 'sigmoid' }, {});
  return {
    format: 'tfjs',
    writtenBy: 'rnn-parity',
    inputs: [{ ...input, ...(plan.vocabulary !== undefined && { vocabulary: plan.vocabulary }) }],
    layers,
    outputs: [{ of: layers[layers.length - 1].name }],
    notes: [],
  };
}

/**
 * The network that a user's model is. Layers that do nothing when predicting are passed over; the activation at its end tells the loss:
 * softmax, sigmoid, or numbers.
 *
 * @throws UsageError that names what a network of layers does not have
 */
export function networkOf(model: ModelDescription, where: string): ModelNetwork {
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where}: ${what}; one chain of recurrent, dense and embedding layers is run here (rnn-parity check opens more).`,
    );
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw refuse(`it has ${model.inputs.length} inputs and ${model.outputs.length} outputs`);
  const [input] = model.inputs;
  const layers: LayerConfig[] = [];
  const weights: StackWeights[number][] = [];
  let loss: NetworkConfig['loss'] = 'meanSquaredError';
  let maskValue: number | undefined;
  let before = input.name;
  let ended: string | undefined;
  for (const layer of model.layers) {
    const { name, kind, config, reads } = layer;
    const own = (what: string): UsageError => refuse(`layer ${name} (${kind}) ${what}`);
    if (ended !== undefined) throw own(`comes after the ${ended} at the end of a classifier`);
    if (reads.of !== before || reads.state !== undefined)
      throw own('does not read the layer before it alone');
    if (layer.initialStates !== undefined) throw own('gets initial states from another layer');
    before = name;
    const previous = layers.at(-1);
    switch (config.layer) {
      case 'identity':
        continue;
      case 'masking':
        if (previous !== undefined || maskValue !== undefined) throw own('masks steps after the first layer');
        ({ maskValue } = config);
        continue;
      case 'activation': {
        if (config.activation === 'softmax') {
          [loss, ended] = ['softmaxCrossEntropy', 'softmax'];
          continue;
        }
        if (previous?.layer !== 'dense' || (previous.activation ?? 'linear') !== 'linear')
          throw own('does not follow a Dense layer without an activation of its own');
        layers[layers.length - 1] = { ...previous, activation: config.activation };
        continue;
      }
      case 'lastStep': {
        if (previous === undefined || !('returnSequences' in previous) || previous.goBackwards === true)
          throw own('takes the last step of something else than one recurrent layer');
        layers[layers.length - 1] = withoutDefaults({ ...previous, returnSequences: false });
        continue;
      }
      case 'repeatVector':
      case 'flatten':
      case 'batchNormalization':
        throw own('is not run');
      default:
        layers.push(withoutDefaults(config));
        weights.push(layer.weights);
    }
  }
  if (model.outputs[0].of !== before || model.outputs[0].state !== undefined)
    throw refuse(`its output is not that of its last layer`);
  const last = layers.at(-1);
  if (last === undefined) throw refuse('it has no layer with weights');
  if (last.layer === 'dense' && last.activation === 'sigmoid') {
    loss = 'sigmoidCrossEntropy';
    layers[layers.length - 1] = withoutDefaults({ ...last, activation: 'linear' });
  }
  const features = input.vocabulary === undefined ? widthOf(model, layers[0], weights[0]) : undefined;
  const config = { ...(features !== undefined && { features }), layers, loss };
  asUsage(() => new NetworkPlan(config, where).checkWeights(weights, where));
  return { config, weights, ...(maskValue !== undefined && { maskValue }) };
}

/** What a description need not say: it is shorter to read without. */
function withoutDefaults<C extends LayerConfig>(config: C): C {
  const own = fields[config.layer] as Readonly<Record<string, { readonly preset?: unknown } | undefined>>;
  const entries = Object.entries(config).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'wrapped') return [[name, withoutDefaults(value as LayerConfig)]];
    const isPreset = value === own[name]?.preset || (name === 'mergeMode' && value === 'concat');
    return isPreset || (name === 'biases' && value === 2) ? [] : [[name, value]];
  });
  return Object.fromEntries(entries) as C;
}

/** How many features the inputs have: the file may leave it open, the first kernel does not. */
function widthOf(
  { inputs: [{ shape }] }: ModelDescription,
  first: LayerConfig,
  weights: StackWeights[number],
): number {
  const kernel = first.layer === 'bidirectional' ? weights['forwardKernel'] : weights['kernel'];
  return shape.at(-1) ?? kernel.shape[0];
}

/**
 * Refuses numbers that float32, which model files and TensorFlow.js keep, cannot hold.
 *
 * @throws UsageError with the layer, the weight and the number
 */
export function checkStorable({ layers }: ModelDescription, where: string): void {
  for (const { name, weights } of layers)
    checkSingle(
      Object.entries(weights).map(([weight, tensor]) => [`${name}.${weight}`, tensor]),
      where,
    );
}

/** The same of weights by their names. */
export function checkSingle(weights: readonly (readonly [string, Tensor])[], where: string): void {
  for (const [name, { data }] of weights) {
    const at = data.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (at >= 0)
      throw new UsageError(
        `${where}: ${name} holds ${data[at]} at position ${at}; model files and TensorFlow.js keep weights as float32, up to 3.4e38, so scale the weights or train them again.`,
      );
  }
}

/** Weights by one name each: `layer1.kernel`. */
export function namedWeights(weights: StackWeights): [name: string, tensor: Tensor][] {
  return weights.flatMap((layer, i) =>
    Object.entries(layer).map(([key, tensor]): [string, Tensor] => [`layer${i + 1}.${key}`, tensor]),
  );
}
