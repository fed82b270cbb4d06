import { totalmem } from 'node:os';
import {
  classifierLayers,
  initialClassifierWeights,
  NetworkPlan,
  weightsByLayer,
  type LayerConfig,
  type NetworkConfig,
  type StackWeights,
} from '../../scratch/index';
import { formatLayers } from '../base/layers-text';
import { asUsage, UsageError } from '../base/outcome';
import type { DataIdentity } from './prepare';
import type { Part } from './data/index';
import type { TrainSettings } from './settings';

/**
 * The network that a run trains: the layers of its settings, and a Dense layer of one unit a class at their end, unless they end with one.
 *
 * @throws UsageError when the layers do not fit the data, or no memory holds their weights
 */
export function networkFor(
  { units, layers }: Pick<TrainSettings, 'units' | 'layers'>,
  { features, classNames: { length: classes } }: Pick<DataIdentity, 'features' | 'classNames'>,
): NetworkConfig {
  if (layers === undefined)
    return checked(classifierLayers({ features, units: units ?? 1, classes }), '--units');
  const last = layers[layers.length - 1];
  const isHead = last.layer === 'dense' && (last.activation ?? 'linear') === 'linear';
  if (isHead && last.units !== classes)
    throw new UsageError(
      `--layers ${formatLayers(layers)} ends with ${last.units} outputs, the data have ${classes} classes; write dense:${classes}, or leave that layer out, as it is added.`,
    );
  const readsIntegers = layers[0].layer === 'embedding';
  if (readsIntegers && features !== 1)
    throw new UsageError(
      `--layers ${formatLayers(layers)} begins with an embedding, which reads one integer a time step; the data have ${features} features, so choose one with --feature-columns.`,
    );
  const whole: readonly LayerConfig[] = isHead ? layers : [...layers, { layer: 'dense', units: classes }];
  const config = checked({ ...(!readsIntegers && { features }), layers: whole }, '--layers');
  if (new NetworkPlan(config, '--layers').layers[whole.length - 1].output.hasTime)
    throw new UsageError(
      `--layers ${formatLayers(layers)} gives an output at every time step, the data have one label a sequence; leave returnSequences out of the last recurrent layer.`,
    );
  return config;
}

const checked = (config: NetworkConfig, flag: string): NetworkConfig =>
  asUsage(() => new NetworkPlan(config, flag).config);

/** Where training starts: the same seed gives every side the same weights. */
export function initialWeights(
  config: NetworkConfig,
  { seed, initializer, units = 1 }: Pick<TrainSettings, 'seed' | 'initializer' | 'units'>,
): StackWeights {
  if (initializer === 'keras') return new NetworkPlan(config, 'train').initialWeights(seed);
  const { features = 1, layers } = config;
  const last = layers[layers.length - 1];
  const classes = last.layer === 'dense' ? last.units : 1;
  return weightsByLayer(initialClassifierWeights({ features, units, classes, seed, initializer }));
}

/**
 * The inputs of a part as the network takes them: [n, T, F], or integers [n, T].
 *
 * @throws UsageError for a number that the embedding has no row for
 */
export function inputsOf({ features, layers: [first] }: NetworkConfig, { inputs }: Pick<Part, 'inputs'>) {
  const { data, shape } = inputs;
  if (first.layer === 'embedding') {
    const { inputDim } = first;
    const wrong = data.find((x) => !Number.isInteger(x) || x < 0 || x >= inputDim);
    if (wrong !== undefined)
      throw new UsageError(
        `the data hold ${wrong}; the embedding reads whole numbers from 0 to ${inputDim - 1}, so renumber them, or make its inputDim larger.`,
      );
  }
  return { data, shape: features === undefined ? shape.slice(0, 2) : [...shape] };
}

/**
 * Refuses sizes that no memory holds, before anything is allocated for them.
 *
 * @param memory bytes of this machine
 * @throws UsageError with the bytes, and the flags
 */
export function checkNetworkSize(
  settings: TrainSettings,
  data: Pick<DataIdentity, 'sequences' | 'timeSteps' | 'features' | 'classNames'>,
  memory = totalmem(),
): void {
  const { batchSize, optimizer, units, layers } = settings;
  const plan = new NetworkPlan(networkFor(settings, data), 'train');
  const { sequences, timeSteps } = data;
  const batch = Math.min(batchSize, sequences);
  const sizes = plan.layers.flatMap(({ shapes }) => Object.values(shapes));
  const weights = sizes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const states = plan.layers.reduce((sum, layer) => sum + layer.states.reduce((a, b) => a + b, 0), 0);
  // weights, gradients and the optimizer's memory; states and their gradients
  const numbers = (optimizer === 'adam' ? 4 : 2) * weights + 2 * batch * timeSteps * states;
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
  if (8 * numbers <= memory) return;
  const network = layers === undefined ? `--units ${units}` : `--layers ${formatLayers(layers)}`;
  throw new UsageError(
    `${network} with --batch-size ${batch} and ${timeSteps} time steps needs about ${gigabytes(8 * numbers)} to train, this machine has ${gigabytes(memory)}; pass smaller ones.`,
  );
}
