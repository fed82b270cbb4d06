import { existsSync } from 'node:fs';
import { exitCodes, UsageError } from '../base/outcome';
import { defineCommand } from './command';
import { checkOutputs, outputOf, runFiles } from './outputs';
import { layoutFlag, text, yes } from './options';

export const defineExport = defineCommand({
  name: 'export',
  description:
    'write the weights of a simple RNN to a .npz file for the notebook, PyTorch or Keras (any model: convert)',
  flags: {
    model: text('--model <path>', 'model directory, or a model of another program').makeOptionMandatory(),
    out: text('--out <file>', '.npz file to write').makeOptionMandatory(),
    layout: layoutFlag().default('notebook'),
    force: yes('--force', 'replace --out if it exists'),
  },
  help: `Examples:
  rnn-parity export --model runs/mine --out weights.npz
  rnn-parity export --model runs/mine --layout pytorch --out weights.npz`,
  async run({ model, out, layout, force }) {
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
    return { exitCode: exitCodes.parity, text: `${out}:\n${lines.join('\n')}` };
  },
});
