import { existsSync } from 'node:fs';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import type { LayoutName } from '../models/index';
import type { DefineCommand } from './command';
import { checkOutputs, outputOf, runFiles } from './outputs';
import { layoutOption } from './options';

interface Flags {
  readonly model: string;
  readonly out: string;
  readonly layout: LayoutName;
  readonly force?: boolean;
}

/** `rnn-parity export` */
export const defineExport: DefineCommand = (program, finish) => {
  program
    .command('export')
    .description(
      'write the weights of a simple RNN to a .npz file for the notebook, PyTorch or Keras (any model: convert)',
    )
    .requiredOption('--model <path>', 'model directory, or a model of another program')
    .requiredOption('--out <file>', '.npz file to write')
    .addOption(layoutOption().default('notebook'))
    .option('--force', 'replace --out if it exists')
    .addHelpText(
      'after',
      `
Examples:
  rnn-parity export --model runs/mine --out weights.npz
  rnn-parity export --model runs/mine --layout pytorch --out weights.npz`,
    )
    .action(async (flags: Flags) => finish(await exportWeights(flags)));
};

async function exportWeights({ model, out, layout, force }: Flags): Promise<Outcome> {
  const { writeNpz } = await import('../base/files/index.js');
  const { load, writeLayout } = await import('../models/index.js');
  if (!out.endsWith('.npz'))
    throw new UsageError(`--out ${out} must end in .npz, the only format that is written.`);
  await checkOutputs(outputOf('--out', out), [model, ...runFiles(model)]);
  if (existsSync(out) && force !== true)
    throw new UsageError(`--out ${out} exists; choose another name, or pass --force to replace it.`);
  const { classifier, metadata, notes } = await load(model, { side: 'scratch' }).catch((error: unknown) => {
    if (!(error instanceof UsageError && error.message.startsWith('load: '))) throw error;
    throw new UsageError(
      `--layout ${layout} is of the weights of a simple RNN, and ${error.message.replace(/^load: |; open it with loadNetwork\.$/g, '')}; write it whole with rnn-parity convert ${model} --to keras, tfjs, onnx or npz.`,
      { cause: error },
    );
  });
  const entries = writeLayout(layout, classifier.getWeights());
  await writeNpz(out, entries);
  const lines = Object.entries(entries).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  lines.push(...notes.map((line) => `note: ${line}`));
  if (layout === 'pytorch')
    lines.push('note: weights are transposed; bias_ih_l0 holds the bias, bias_hh_l0 is zeros');
  if (metadata.standardisation)
    lines.push(
      'note: the model standardises its inputs first; mean and scale are in its model.json, not in this file',
    );
  return { exitCode: exitCodes.parity, text: `${out}:\n${lines.join('\n')}`, json: { layout } };
}
