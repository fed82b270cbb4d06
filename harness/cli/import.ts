import type { NetworkConfig } from '../../scratch/index';
import { exitCodes, UsageError } from '../base/outcome';
import type { LayoutName, Saveable, SaveOptions } from '../models/index';
import { defineCommand } from './command';
import { choice, layoutFlag, list, option, stateFlags, text, yes, type StateFlags } from './options';
import { checkKeepsInputs } from './outputs';

export const defineImport = defineCommand({
  name: 'import',
  description: 'make a model directory from a model of another program, or from weights in a .npz file',
  flags: {
    from: text(
      '--from <file>',
      'model of Keras, TensorFlow.js, PyTorch (.safetensors, .npz) or ONNX, or .npz with the weights of a simple RNN',
    ).makeOptionMandatory(),
    out: text('--out <dir>', 'model directory to make').makeOptionMandatory(),
    layout: layoutFlag(),
    activation: choice(
      '--activation <name>',
      'activation of the recurrent layer, which is not part of the weights; only tanh is supported',
      ['tanh', 'relu'],
    ),
    classNames: option(
      '--class-names <names>',
      'names of the classes, separated by commas (default: 0,1,2,...); of a model that ends with numbers, these become logits',
      list,
    ),
    force: yes('--force', 'replace the files of a model in --out'),
    ...stateFlags,
  },
  help: `Examples:
  rnn-parity import --from lstm.keras --out my-model --class-names no,yes
  rnn-parity import --from notebook.npz --layout notebook --out my-model`,
  async run({ from, out, layout: asked, activation, classNames, force, nonlinearity, steps }) {
    const { claimDirectory, save } = await import('../models/index.js');
    if (activation === 'relu')
      throw new UsageError(
        '--activation relu: only tanh is run, and relu weights would predict something else with it.',
      );
    await checkKeepsInputs(out, { '--from': from });
    const weights = from.endsWith('.npz') ? await readWeights(from, asked) : undefined;
    if (weights === undefined && activation !== undefined)
      throw new UsageError(
        `--activation ${activation} is of weights without layers in a .npz file; ${from} has layers, so leave it out.`,
      );
    const hint = nonlinearity === undefined ? steps && `--steps ${steps}` : `--nonlinearity ${nonlinearity}`;
    if (weights !== undefined && hint !== undefined)
      throw new UsageError(
        `${hint} is of a state_dict of several modules, and ${from} holds the weights of a simple RNN; leave it out.`,
      );
    const model = weights ?? (await readModel(from, asked, classNames, { nonlinearity, steps }));
    const { network, notes: all, classes, metadata, what } = model;
    const notes = activation === undefined ? all : all.filter((note) => !note.includes('--activation'));
    const { classNamedTwice } = await import('../base/number-text.js');
    const twice = classNamedTwice(classNames ?? []);
    if (twice !== undefined || classNames?.includes('') === true)
      throw new UsageError(
        `--class-names has ${twice === undefined ? 'an empty name' : `${JSON.stringify(twice)} twice (equal numbers are one label)`}; give every class a name of its own.`,
      );
    if (classNames !== undefined && classNames.length !== classes)
      throw new UsageError(
        `--class-names has ${classNames.length} names for ${classes} classes; give one each.`,
      );
    const release = await claimDirectory(out, force ?? false);
    try {
      await save(network, out, { ...metadata, ...(classNames && { classNames }) });
    } finally {
      await release();
    }
    const lines = [`${from} (${model.from}): ${what} -> ${out}`, ...notes.map((note) => `note: ${note}`)];
    return { exitCode: exitCodes.parity, text: lines.join('\n') };
  },
});

/** A model to be saved. */
interface Imported {
  readonly network: Saveable;
  readonly metadata: SaveOptions;
  readonly classes: number;
  /** which program or layout */ readonly from: string;
  /** what it is */ readonly what: string;
  readonly notes: readonly string[];
}

/** Weights without layers: those of a SimpleRNN classifier; undefined where the archive has layers. */
async function readWeights(file: string, asked: LayoutName | undefined): Promise<Imported | undefined> {
  const { readNpz, weightsArchive } = await import('../base/files/index.js');
  const { describesLayers, readLayout } = await import('../models/index.js');
  const arrays = await readNpz(file, weightsArchive);
  if (asked === undefined && describesLayers(arrays)) return undefined;
  const { layout, weights, notes } = readLayout(arrays, file, asked);
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  return {
    network: { name: 'scratch', features, units, classes, getWeights: () => weights },
    metadata: {},
    classes,
    from: layout,
    what: `${features} features, ${units} units, ${classes} classes`,
    notes,
  };
}

/** A model of another program, with its layers. */
async function readModel(
  file: string,
  asked: LayoutName | undefined,
  named: readonly string[] | undefined,
  reading: StateFlags,
): Promise<Imported> {
  if (asked !== undefined)
    throw new UsageError(
      `--layout ${asked} is of weights in a .npz file; ${file} has layers, so leave it out.`,
    );
  const { readSavedModel } = await import('../models/index.js');
  const { formatLayers } = await import('../base/layers-text.js');
  const saved = await readSavedModel(file, reading);
  const { weights, metadata, maskValue, notes } = saved;
  const { trainedBy: writtenBy, standardisation, featureNames } = metadata;
  // PyTorch's classifiers end with their logits: names say that these are classes
  const isNamed = named !== undefined && saved.config.loss === 'meanSquaredError';
  const config: NetworkConfig = isNamed ? { ...saved.config, loss: 'softmaxCrossEntropy' } : saved.config;
  const last = config.layers[config.layers.length - 1];
  const width = 'units' in last ? last.units : 0;
  if (isNamed && width === 1)
    throw new UsageError(
      `--class-names: ${file} ends with one number, and a classifier has an output for each of two classes or more; leave it out, and predict prints that number.`,
    );
  const classNames = isNamed ? Array.from({ length: width }, (_, c) => String(c)) : metadata.classNames;
  return {
    network: { name: 'scratch', config, getWeights: () => weights },
    metadata: {
      classNames,
      masked: maskValue ?? false,
      ...(standardisation && { standardisation }),
      ...(featureNames && { featureNames }),
    },
    classes: classNames.length,
    from: writtenBy,
    what: formatLayers(config.layers),
    notes,
  };
}
