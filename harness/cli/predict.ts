import { exitCodes } from '../base/outcome';
import type { LayersNetwork } from '../../scratch/index';
import type { Part } from '../training/data/index';
import { defineCommand } from './command';
import { openModel, useFlags } from './model-and-data';

/** `rnn-parity predict`: one line a sequence, its class and the probability of it; or the numbers that the model gives. */
export const definePredict = defineCommand({
  name: 'predict',
  description:
    'print the class of every sequence, with its probability; of a model that is no classifier, its numbers',
  flags: useFlags,
  help: `Prints the id, the class and its probability, with tabs between; control characters in them as in JSON.

Examples:
  rnn-parity predict --model runs/mine --data new.csv
  rnn-parity predict --model lstm.keras --data new.npz --json`,
  async run(flags) {
    const { givesClasses } = await import('../models/index.js');
    const { visible } = await import('../reports/index.js');
    const { model, part, ids, outputs } = await openModel(flags, false);
    const { network, metadata } = model;
    const { classNames } = metadata;
    try {
      const { rows, json } = givesClasses(model)
        ? await classes(network, part, ids, classNames)
        : await numbers(network, part, ids);
      const text = rows.map((row) => row.map(visible).join('\t')).join('\n');
      return await outputs.outcome({ exitCode: exitCodes.parity, text, json });
    } finally {
      network.dispose();
    }
  },
});

interface Predictions {
  /** id, and what is predicted */ readonly rows: readonly (readonly string[])[];
  readonly json: object;
}

async function classes(
  network: LayersNetwork,
  part: Part,
  ids: readonly string[],
  classNames: readonly string[],
): Promise<Predictions> {
  const { predictPart } = await import('../training/index.js');
  const { classes: chosen, probabilities } = predictPart(network, part);
  const predictions = Array.from(chosen, (c, n) => {
    const row = probabilities.data.subarray(n * classNames.length, (n + 1) * classNames.length);
    return { id: ids[n], class: classNames[c], probability: row[c], probabilities: Array.from(row) };
  });
  return {
    rows: predictions.map((row) => [row.id, row.class, row.probability.toFixed(4)]),
    json: { classNames, predictions },
  };
}

/** Of a model that does not give one class a sequence: the numbers that it gives, step by step where it gives all steps. */
async function numbers(network: LayersNetwork, part: Part, ids: readonly string[]): Promise<Predictions> {
  const { inputsOf } = await import('../training/network.js');
  const { outputs } = network.predict(inputsOf(network.config, part), part.mask ? { mask: part.mask } : {});
  const { data, shape } = outputs;
  const width = shape[shape.length - 1];
  const isSequence = shape.length === 3;
  const sequences = ids.map((_, n) =>
    // steps behind the end of a sequence are padding
    Array.from({ length: isSequence ? part.lengths[n] : 1 }, (_, t) => {
      const from = (isSequence ? n * shape[1] + t : n) * width;
      return Array.from(data.subarray(from, from + width));
    }),
  );
  return {
    rows: sequences.map((steps, n) => [
      ids[n],
      ...steps.map((step) => step.map((x) => x.toPrecision(6)).join(',')),
    ]),
    json: {
      predictions: sequences.map((steps, n) => ({ id: ids[n], outputs: isSequence ? steps : steps[0] })),
    },
  };
}
