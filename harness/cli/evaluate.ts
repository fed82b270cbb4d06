import { exitCodes } from '../base/outcome';
import { defineCommand } from './command';
import { openModel, useFlags } from './model-and-data';

export const defineEvaluate = defineCommand({
  name: 'evaluate',
  description:
    'measure a model on labelled sequences: accuracy, loss, precision, recall and confusion matrix',
  flags: useFlags,
  help: `Examples:
  rnn-parity evaluate --model runs/mine --data mine.csv
  rnn-parity evaluate --model runs/digits-1 --data digits --part train`,
  async run(flags) {
    const { evaluatePart, formatMetrics } = await import('../training/index.js');
    const { model, part, partName, outputs } = await openModel(flags, true);
    const { network, metadata } = model;
    try {
      const { metrics } = evaluatePart(network, part, metadata.classNames);
      const side = network.name;
      const text = `${side} on ${partName}\n${formatMetrics(metrics)}`;
      const json = { side, part: partName, ...metrics };
      return await outputs.outcome({ exitCode: exitCodes.parity, text, json });
    } finally {
      network.dispose();
    }
  },
});
