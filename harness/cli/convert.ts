import { Argument } from 'commander';
import type { WriteFormat } from '../models/index';
import { defineCommand } from './command';
import * as options from './options';

const programs: Readonly<Record<WriteFormat, string>> = {
  tfjs: 'a folder that tf.loadLayersModel opens',
  keras: 'a .keras file for Keras 3',
  onnx: 'a file that onnxruntime runs',
  savedmodel: 'a folder that TensorFlow Serving runs',
  npz: 'weights and layers for numpy',
};
const formats = Object.keys(programs) as WriteFormat[];

export const defineConvert = defineCommand({
  name: 'convert',
  description: 'write a model of your own for another program, with the proof that it is the same function',
  argument: new Argument('<model>', options.modelFileText),
  flags: {
    to: options
      .choice('--to <program>', formats.map((name) => `${name}: ${programs[name]}`).join('; '), formats)
      .makeOptionMandatory(),
    ...options.stateFlags,
    out: options.text('--out <path>', 'file or folder to make').makeOptionMandatory(),
    force: options.yes('--force', 'replace --out, and its proof OUT.parity.json, if they exist'),
    python: options.pythonFlag('with --to keras or onnx, Keras or onnxruntime opens the result'),
    timeout: options.frameworkTimeout(),
    seed: options.seedFlag('of the inputs of the proof'),
  },
  help: `${options.exitText}.
--force replaces a file, or a folder that holds nothing but what convert writes.

Examples:
  rnn-parity convert lstm.keras --to tfjs --out web-model
  rnn-parity convert runs/mine --to onnx --out mine.onnx`,
  async run({ timeout, ...flags }, { values: [file], refuseIdle }) {
    const { to, out } = flags;
    if (to !== 'keras' && to !== 'onnx') refuseIdle(`with --to ${to}`, 'python', 'timeout');
    const { checkVerdict, convertModel, formatCheck } = await import('../check/index.js');
    const report = await convertModel(file, { ...flags, timeoutSeconds: timeout });
    const { exitCode, verdict, notes } = report;
    const text =
      verdict === 'parity'
        ? [`${file} -> ${out}`, ...notes.map((note) => `note: ${note}`), checkVerdict(report)].join('\n')
        : `${formatCheck(report)}\nNothing was written: ${verdict === 'mismatch' ? `${to} gives something else than ${file}` : 'the proof showed nothing'}.`;
    return { exitCode, text };
  },
});
