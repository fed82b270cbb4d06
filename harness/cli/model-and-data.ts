import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SequenceData } from '../training/data/index';
import type { TrainSettings } from '../training/settings';
import { checkRegularFile, modelFolder, readTextFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import type { FlagsOf } from './command';
import { checkDataFlags, columnFlags, formatFor, given } from './data-flags';
import * as options from './options';
import { openOutputs, runFiles, say } from './outputs';

/** The flags of `predict` and `evaluate`. */
export const useFlags = {
  model: options
    .text(
      '--model <path>',
      'model directory of train --out or import, or a model of another program (docs/models.md)',
    )
    .makeOptionMandatory(),
  data: options
    .text('--data <source>', 'digits, notebook, memory, or a .npz, .csv, .tsv or .jsonl file')
    .makeOptionMandatory(),
  side: options.choice('--side <name>', 'which network runs it (default: the one that trained it)', [
    'scratch',
    'tfjs',
    'graph',
  ]),
  backend: options.choice('--backend <name>', 'backend of TensorFlow.js', options.backendNames),
  part: options.choice(
    '--part <name>',
    'which part of the training data to use (default: validation; for other data: all)',
    ['all', 'train', 'validation'],
  ),
  ...options.stateFlags,
  seed: options.option(
    '--seed <n>',
    'seed of generated data (default: the seed of training)',
    options.whole(0),
  ),
  json: options.jsonFlag('the result'),
  ...columnFlags,
};
export type UseFlags = FlagsOf<typeof useFlags>;

/** The model and the part of the data that the flags name. */
export async function openModel(flags: UseFlags, labelled: boolean) {
  const { givesClasses, loadNetwork } = await import('../models/index.js');
  const { checkFeatures, loadData, Notes, relabelled, takePart, withoutMaskedSteps } =
    await import('../training/data/index.js');
  checkDataFlags(flags, flags.data);
  if (flags.seed !== undefined && !['memory', 'notebook'].includes(flags.data))
    throw new UsageError(
      `--seed is for generated data (memory, notebook) and changes nothing for ${flags.data}; leave it out.`,
    );
  if (flags.side !== undefined && flags.side !== 'tfjs' && flags.backend !== undefined)
    throw new UsageError(
      `--backend ${flags.backend} belongs to the op-by-op side of TensorFlow.js; with --side ${flags.side} leave it out.`,
    );
  const mark = labelled ? '"confusion"' : '"predictions"';
  const outputs = await openOutputs(flags, { json: mark }, [
    flags.data,
    flags.model,
    ...runFiles(flags.model),
  ]);
  const model = await loadNetwork(flags.model, given(flags, ['side', 'backend', 'nonlinearity', 'steps']));
  if (labelled && !givesClasses(model))
    throw new UsageError(
      `--model ${flags.model} is no classifier of sequences: it gives numbers, or an output at every time step. rnn-parity predict prints what it gives, rnn-parity check compares it with another program.`,
    );
  for (const line of model.notes) say(`note: ${line}`);
  const trained = await trainedSettings(modelFolder(flags.model));
  const seed = flags.seed ?? trained?.seed;
  const steps = trained?.data.timeSteps;
  const data = await loadData(flags.data, {
    needLabels: labelled,
    onMalformed: flags.skipMalformed === true ? 'skip' : 'fail',
    onReport: say,
    ...formatFor(flags, trained?.data, model.metadata.featureNames),
    ...(seed !== undefined && { seed }),
    ...(steps !== undefined && { timeSteps: steps }),
  });
  for (const line of data.notes ?? []) say(line);
  const { features = 1 } = model.config;
  const { featureNames } = model.metadata;
  checkFeatures(flags.data, { ...data, features: data.inputs.shape[2] }, { features, featureNames });
  const { examples: chosen, partName } = await choosePart(flags, data, trained);
  const notes = new Notes();
  const own = labelled ? relabelled(data, model.metadata.classNames, notes) : data;
  for (const line of notes.lines) say(line);
  return {
    model,
    part: withoutMaskedSteps(takePart(own, chosen, model.metadata.standardisation), model.maskValue),
    partName,
    ids: Array.from(chosen, (n) => data.ids?.[n] ?? String(n)),
    outputs,
  };
}

interface Trained extends Pick<TrainSettings, 'seed' | 'data'> {
  readonly fingerprint: string;
}

/** How the model was trained, when a config.json lies alongside; the model works without it. */
async function trainedSettings(directory: string): Promise<Trained | undefined> {
  const file = join(directory, 'config.json');
  if (!existsSync(file)) return undefined;
  await checkRegularFile(file);
  try {
    const config = JSON.parse(await readTextFile(file)) as {
      settings: TrainSettings;
      data: { fingerprint: string };
    };
    const { seed, data } = config.settings;
    if (typeof data.source === 'string') return { seed, data, fingerprint: config.data.fingerprint };
  } catch {
    // The warning below says what is lost.
  }
  say(
    `warning     ${file} is damaged, so the flags of training and the split are not known; pass the column flags again.`,
  );
  return undefined;
}

/** All examples, or those of one side of the split that training made, when these are the data it was trained on. */
async function choosePart(flags: UseFlags, data: SequenceData, trained: Trained | undefined) {
  const { fingerprint, splitStratified } = await import('../training/data/index.js');
  const all = Int32Array.from(data.lengths, (_, n) => n);
  const same =
    trained !== undefined && data.labels !== undefined && fingerprint(data) === trained.fingerprint;
  const share = trained?.data.validation ?? 0;
  const wanted = flags.part ?? (same && share > 0 ? 'validation' : 'all');
  if (wanted === 'all' || data.labels === undefined || trained === undefined || !same) {
    if (wanted !== 'all')
      throw new UsageError(
        `--part ${wanted}: ${flags.data} is not the data that the model was trained on, so there is no such part; leave it out.`,
      );
    return { examples: all, partName: `all ${all.length} sequences of ${flags.data}` };
  }
  if (wanted === 'validation' && share === 0)
    throw new UsageError(
      `--part validation: nothing was kept back when the model was trained (--validation 0); leave it out.`,
    );
  const split = splitStratified(data.labels, data.classNames.length, share, trained.seed);
  const examples = wanted === 'train' ? split.train : split.validation;
  const what = wanted === 'train' ? 'trained on' : 'kept back from training';
  if (flags.part === undefined)
    say(
      `part        ${flags.data} is what the model was trained on: the ${examples.length} of ${all.length} sequences that were kept back are used (--part all: every one)`,
    );
  return { examples, partName: `the ${examples.length} sequences of ${flags.data} that were ${what}` };
}
