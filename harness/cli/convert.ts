import { Option } from 'commander';
import type { Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import * as options from './options';

interface Flags {
  readonly out: string;
  readonly seed: number;
}

/** `rnn-parity convert` */
export const defineConvert: DefineCommand = (program, finish) => {
  program
    .command('convert')
    .description('write a model of your own for another program, with the proof that it is the same function')
    .argument('<model>', 'model.json or its folder (TensorFlow.js), .keras or .h5 (Keras)')
    .addOption(
      new Option('--to <program>', 'tfjs: a folder that tf.loadLayersModel opens')
        .choices(['tfjs'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'folder to make; it must not exist')
    .addOption(options.seedOption('of the inputs of the proof'))
    .addHelpText('after', `\n${options.exitText}.`)
    .action(async (model: string, flags: Flags) => finish(await convert(model, flags)));
};

async function convert(file: string, { out, seed }: Flags): Promise<Outcome> {
  const { checkVerdict, convertToTfjs, formatCheck } = await import('../check/index.js');
  const report = await convertToTfjs(file, out, seed);
  const text =
    report.verdict === 'parity'
      ? `${file} -> ${out}\n${checkVerdict(report)}`
      : `${formatCheck(report)}\nNothing was written: TensorFlow.js gives something else than ${file}.`;
  return { exitCode: report.exitCode, text, json: report };
}
