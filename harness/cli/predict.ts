import { exitCodes, type Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import type { LayersNetwork } from '../../scratch/index';
import type { Part } from '../training/data/index';
import { openModel, useModelOptions, type UseFlags } from './model-and-data';
import { addOptions } from './options';
import { withJson } from './outputs';

/** `rnn-parity predict`: one line a sequence, its class and the probability of it; or the numbers that the model gives. */
export const definePredict: DefineCommand = (program, finish) => {
  const command = program
    .command('predict')
    .description(
      'print the class of every sequence, with its probability; of a model that is no classifier, its numbers',
    );
  addOptions(command, useModelOptions())
    .addHelpText(
      'after',
      `
Prints the id, the class and its probability, with tabs between; control characters in them as in JSON.

Examples:
  rnn-parity predict --model runs/mine --data new.csv
  rnn-parity predict --model lstm.keras --data new.npz --json`,
    )
    .action(async (flags: UseFlags) => finish(await predict(flags)));
};

async function predict(flags: UseFlags): Promise<Outcome> {
  const { predictPart } = await import('../training/index.js');
  const { givesClasses } = await import('../models/index.js');
  const { visible } = await import('../reports/index.js');
  const { model, part, ids } = await openModel(flags, false);
  const { network, metadata } = model;
  const { classNames } = metadata;
  try {
    if (!givesClasses(model)) return await numbers(network, part, ids, flags);
    const { classes, probabilities } = predictPart(network, part);
    const predictions = Array.from(classes, (c, n) => {
      const row = probabilities.data.subarray(n * classNames.length, (n + 1) * classNames.length);
      return { id: ids[n], class: classNames[c], probability: row[c], probabilities: Array.from(row) };
    });
    const text = predictions
      .map((row) => `${visible(row.id)}\t${visible(row.class)}\t${row.probability.toFixed(4)}`)
      .join('\n');
    return await withJson(
      { exitCode: exitCodes.parity, text, json: { classNames, predictions } },
      flags.json,
    );
  } finally {
    network.dispose();
  }
}

/** Of a model that does not give one class a sequence: the numbers that it gives, step by step where it gives all steps. */
async function numbers(
  network: LayersNetwork,
  part: Part,
  ids: readonly string[],
  { json }: UseFlags,
): Promise<Outcome> {
  const { inputsOf } = await import('../training/network.js');
  const { visible } = await import('../reports/index.js');
  const { outputs } = network.predict(inputsOf(network.config, part), part.mask ? { mask: part.mask } : {});
  const { data, shape } = outputs;
  const width = shape[shape.length - 1];
  const [, steps] = shape.length === 3 ? shape : [0, 1];
  const predictions = ids.map((id, n) => {
    // steps behind the end of a sequence are padding
    const length = shape.length === 3 ? part.lengths[n] : 1;
    const rows = Array.from({ length }, (_, t) => {
      const from = (n * steps + t) * width;
      return Array.from(data.subarray(from, from + width));
    });
    return { id, outputs: shape.length === 3 ? rows : rows[0], rows };
  });
  const text = predictions
    .map(({ id, rows }) =>
      [visible(id), ...rows.map((row) => row.map((x) => x.toPrecision(6)).join(','))].join('\t'),
    )
    .join('\n');
  const plain = predictions.map(({ id, outputs: own }) => ({ id, outputs: own }));
  return withJson({ exitCode: exitCodes.parity, text, json: { predictions: plain } }, json);
}
