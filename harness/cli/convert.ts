import { Option, type Command } from 'commander';
import type { Outcome } from '../base/outcome';
import type { WriteFormat } from '../models/index';
import { refuseIdle, type DefineCommand } from './command';
import * as options from './options';

interface Flags extends options.StateFlags {
  readonly to: WriteFormat;
  readonly out: string;
  readonly seed: number;
  readonly force?: boolean;
  readonly python?: string;
  readonly timeout?: number;
}

const programs: Readonly<Record<WriteFormat, string>> = {
  tfjs: 'a folder that tf.loadLayersModel opens',
  keras: 'a .keras file for Keras 3',
  onnx: 'a file that onnxruntime runs',
  savedmodel: 'a folder that TensorFlow Serving runs',
  npz: 'weights and layers for numpy',
};

/** `rnn-parity convert` */
export const defineConvert: DefineCommand = (program, finish) => {
  program
    .command('convert')
    .description('write a model of your own for another program, with the proof that it is the same function')
    .argument('<model>', options.modelFileText)
    .addOption(
      new Option(
        '--to <program>',
        Object.entries(programs)
          .map(([name, what]) => `${name}: ${what}`)
          .join('; '),
      )
        .choices(Object.keys(programs))
        .makeOptionMandatory(),
    )
    .addOption(options.nonlinearityOption())
    .addOption(options.stepsOption())
    .requiredOption('--out <path>', 'file or folder to make')
    .option('--force', 'replace --out, and its proof OUT.parity.json, if they exist')
    .addOption(options.pythonOption('with --to keras or onnx, Keras or onnxruntime opens the result'))
    .addOption(options.frameworkTimeoutOption())
    .addOption(options.seedOption('of the inputs of the proof'))
    .addHelpText(
      'after',
      `
${options.exitText}.
--force replaces a file, or a folder that holds nothing but what convert writes.

Examples:
  rnn-parity convert lstm.keras --to tfjs --out web-model
  rnn-parity convert runs/mine --to onnx --out mine.onnx`,
    )
    .action(async (model: string, flags: Flags, command: Command) => {
      if (flags.to !== 'keras' && flags.to !== 'onnx')
        refuseIdle(command, `with --to ${flags.to}`, ['python', 'timeout']);
      finish(await convert(model, flags));
    });
};

async function convert(file: string, { timeout, ...flags }: Flags): Promise<Outcome> {
  const { checkVerdict, convertModel, formatCheck } = await import('../check/index.js');
  const report = await convertModel(file, { ...flags, timeoutSeconds: timeout });
  const text =
    report.verdict === 'parity'
      ? [
          `${file} -> ${flags.out}`,
          ...report.notes.map((note) => `note: ${note}`),
          checkVerdict(report),
        ].join('\n')
      : `${formatCheck(report)}\nNothing was written: ${report.verdict === 'mismatch' ? `${flags.to} gives something else than ${file}` : 'the proof showed nothing'}.`;
  return { exitCode: report.exitCode, text, json: report };
}
