import { Option, type Command } from 'commander';
import type { DefineCommand } from './command';
import { columnOptions, toNumber, type TrainFlags } from './train';

export interface UseFlags extends Omit<TrainFlags, 'model' | 'data'> {
  readonly model: string;
  readonly data: string;
  readonly side?: 'scratch' | 'tfjs' | 'graph';
  readonly part?: 'all' | 'train' | 'validation';
}

/** `rnn-parity predict` and `rnn-parity evaluate`. */
export const defineUseModel: DefineCommand = (program, finish) => {
  const common = (command: Command): Command => {
    command
      .requiredOption('--model <dir>', 'model directory, as train --out or import made it')
      .requiredOption('--data <source>', 'digits, notebook, memory, or a .npz, .csv, .tsv or .jsonl file')
      .addOption(
        new Option('--side <name>', 'which network runs it (default: the one that trained it)').choices([
          'scratch',
          'tfjs',
          'graph',
        ]),
      )
      .addOption(new Option('--backend <name>', 'of TensorFlow.js').choices(['tensorflow', 'wasm', 'cpu']))
      .addOption(
        new Option(
          '--part <name>',
          'of the data that the model was trained on (default: validation; other data: all)',
        ).choices(['all', 'train', 'validation']),
      )
      .option('--seed <n>', 'of generated data (default: that of training)', toNumber)
      .option('--json [file]', 'the result as JSON, on stdout or into a file');
    for (const option of columnOptions()) command.addOption(option);
    return command;
  };
  common(
    program.command('predict').description('tell the class of every sequence, with its probability'),
  ).action(async (flags: UseFlags) => {
    const { predictCommand } = await import('./run-use-model.js');
    finish(await predictCommand(flags));
  });
  common(
    program
      .command('evaluate')
      .description('measure a model on labelled sequences: accuracy, loss, precision, recall, confusion'),
  ).action(async (flags: UseFlags) => {
    const { evaluateCommand } = await import('./run-use-model.js');
    finish(await evaluateCommand(flags));
  });
};
