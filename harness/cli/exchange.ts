import { Option } from 'commander';
import type { DefineCommand } from './command';

export interface ImportFlags {
  readonly from: string;
  readonly out: string;
  readonly layout?: 'notebook' | 'pytorch' | 'keras';
  readonly classNames?: string;
  readonly force?: boolean;
}

export interface ExportFlags {
  readonly model: string;
  readonly out: string;
  readonly layout: 'notebook' | 'pytorch' | 'keras';
  readonly force?: boolean;
}

const layout = (): Option =>
  new Option('--layout <name>', 'whose names and layout').choices(['notebook', 'pytorch', 'keras']);

/** `rnn-parity import` and `rnn-parity export`. */
export const defineExchange: DefineCommand = (program, finish) => {
  program
    .command('import')
    .description('make a model directory from weights of the notebook, PyTorch or Keras in a .npz file')
    .requiredOption('--from <file>', '.npz with the weights')
    .requiredOption('--out <dir>', 'model directory to make')
    .addOption(layout())
    .option('--class-names <names>', 'names of the classes, comma between (default: 0,1,2,...)')
    .option('--force', 'replace the files of a model in --out')
    .action(async (flags: ImportFlags) => {
      const { importCommand } = await import('./run-exchange.js');
      finish(await importCommand(flags));
    });
  program
    .command('export')
    .description("write a model's weights to a .npz file for the notebook, PyTorch or Keras")
    .requiredOption('--model <dir>', 'model directory')
    .requiredOption('--out <file>', '.npz file to write')
    .addOption(layout().default('notebook'))
    .option('--force', 'replace --out if it exists')
    .action(async (flags: ExportFlags) => {
      const { exportCommand } = await import('./run-exchange.js');
      finish(await exportCommand(flags));
    });
};
