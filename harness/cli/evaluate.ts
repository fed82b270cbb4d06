import { exitCodes, type Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import { openModel, useModelOptions, type UseFlags } from './model-and-data';
import { addOptions } from './options';
import { withJson } from './outputs';

/** `rnn-parity evaluate` */
export const defineEvaluate: DefineCommand = (program, finish) => {
  const command = program
    .command('evaluate')
    .description(
      'measure a model on labelled sequences: accuracy, loss, precision, recall and confusion matrix',
    );
  addOptions(command, useModelOptions())
    .addHelpText(
      'after',
      `
Examples:
  rnn-parity evaluate --model runs/mine --data mine.csv
  rnn-parity evaluate --model runs/digits-1 --data digits --part train`,
    )
    .action(async (flags: UseFlags) => finish(await evaluate(flags)));
};

async function evaluate(flags: UseFlags): Promise<Outcome> {
  const { evaluatePart, formatMetrics } = await import('../training/index.js');
  const { model, part, partName } = await openModel(flags, true);
  const { network, metadata } = model;
  try {
    const { metrics } = evaluatePart(network, part, metadata.classNames);
    const side = network.name;
    const text = `${side} on ${partName}\n${formatMetrics(metrics)}`;
    return await withJson(
      { exitCode: exitCodes.parity, text, json: { side, part: partName, ...metrics } },
      flags.json,
    );
  } finally {
    network.dispose();
  }
}
