import { exitCodes, type Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import { openModel, useModelOptions, type UseFlags } from './model-and-data';
import { addOptions } from './options';
import { withJson } from './outputs';

/** `rnn-parity predict`: one line a sequence, its class and the probability of it. */
export const definePredict: DefineCommand = (program, finish) => {
  const command = program
    .command('predict')
    .description('print the class of every sequence, with its probability');
  addOptions(command, useModelOptions()).action(async (flags: UseFlags) => finish(await predict(flags)));
};

async function predict(flags: UseFlags): Promise<Outcome> {
  const { predictPart } = await import('../training/index.js');
  const { model, part, ids } = await openModel(flags, false);
  const { classNames } = model.metadata;
  const { classes, probabilities } = predictPart(model.classifier, part);
  model.classifier.dispose();
  const predictions = Array.from(classes, (c, n) => {
    const row = probabilities.data.subarray(n * classNames.length, (n + 1) * classNames.length);
    return { id: ids[n], class: classNames[c], probability: row[c], probabilities: Array.from(row) };
  });
  const text = predictions.map((row) => `${row.id}\t${row.class}\t${row.probability.toFixed(4)}`).join('\n');
  return withJson({ exitCode: exitCodes.parity, text, json: { classNames, predictions } }, flags.json);
}
