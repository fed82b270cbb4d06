import { Option } from 'commander';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import type { LayoutName } from '../models/index';
import type { DefineCommand } from './command';
import { layoutOption, list } from './options';

interface Flags {
  readonly from: string;
  readonly out: string;
  readonly layout?: LayoutName;
  readonly activation?: 'tanh' | 'relu';
  readonly classNames?: string[];
  readonly force?: boolean;
}

/** `rnn-parity import` */
export const defineImport: DefineCommand = (program, finish) => {
  program
    .command('import')
    .description('make a model directory from weights of the notebook, PyTorch or Keras in a .npz file')
    .requiredOption('--from <file>', '.npz with the weights')
    .requiredOption('--out <dir>', 'model directory to make')
    .addOption(layoutOption())
    .addOption(
      new Option(
        '--activation <name>',
        'activation of the recurrent layer, which is not part of the weights; only tanh is supported',
      ).choices(['tanh', 'relu']),
    )
    .addOption(
      new Option(
        '--class-names <names>',
        'names of the classes, separated by commas (default: 0,1,2,...)',
      ).argParser(list),
    )
    .option('--force', 'replace the files of a model in --out')
    .action(async (flags: Flags) => finish(await importWeights(flags)));
};

async function importWeights({
  from,
  out,
  layout: asked,
  activation,
  classNames,
  force,
}: Flags): Promise<Outcome> {
  const { readNpz, weightsArchive } = await import('../base/files/index.js');
  const { claimDirectory, readLayout, refuseOtherFormats, save } = await import('../models/index.js');
  if (activation === 'relu')
    throw new UsageError(
      '--activation relu: only tanh is run, and relu weights would predict something else with it.',
    );
  await refuseOtherFormats(from);
  const { layout, weights, notes: all } = readLayout(await readNpz(from, weightsArchive), from, asked);
  const notes = activation === undefined ? all : all.filter((note) => !note.includes('--activation'));
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  if (classNames !== undefined && classNames.length !== classes)
    throw new UsageError(
      `--class-names has ${classNames.length} names for ${classes} classes; give one each.`,
    );
  const release = await claimDirectory(out, force ?? false);
  try {
    await save(
      { name: 'scratch', classes, getWeights: () => weights },
      out,
      classNames ? { classNames } : {},
    );
  } finally {
    await release();
  }
  const lines = [
    `${from} (${layout}): ${features} features, ${units} units, ${classes} classes -> ${out}`,
    ...notes.map((note) => `note: ${note}`),
  ];
  const json = { layout, features, units, classes, notes };
  return { exitCode: exitCodes.parity, text: lines.join('\n'), json };
}
