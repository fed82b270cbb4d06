import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fingerprint,
  loadData,
  splitStratified,
  takePart,
  type Part,
  type SequenceData,
} from '../training/data/index';
import { writeFileAtomic } from '../base/files/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import { dataChoicesOf } from './train';
import { evaluatePart, formatMetrics, predictPart } from '../training/metrics';
import { load, type LoadedModel } from '../models/saved-model';
import type { TrainSettings } from '../training/settings';
import type { UseFlags } from './use-model';

/** `rnn-parity predict`: one line a sequence, its class and the probability of it. */
export async function predictCommand(flags: UseFlags): Promise<Outcome> {
  const { model, part, ids } = await open(flags, false);
  const { classNames } = model.metadata;
  const { classes, probabilities } = predictPart(model.classifier, part);
  model.classifier.dispose();
  const rows = Array.from(classes, (c, n) => ({
    id: ids[n],
    class: classNames[c],
    probability: probabilities.data[n * classNames.length + c],
    probabilities: Array.from(
      probabilities.data.subarray(n * classNames.length, (n + 1) * classNames.length),
    ),
  }));
  const text = rows.map((row) => `${row.id}\t${row.class}\t${row.probability.toFixed(4)}`).join('\n');
  return output(flags, text, { classNames, predictions: rows });
}

/** `rnn-parity evaluate`: accuracy, loss, precision, recall and confusion on labelled sequences. */
export async function evaluateCommand(flags: UseFlags): Promise<Outcome> {
  const { model, part, partName } = await open(flags, true);
  const { metrics } = evaluatePart(model.classifier, part, model.metadata.classNames);
  model.classifier.dispose();
  return output(flags, `${model.classifier.name} on ${partName}\n${formatMetrics(metrics)}`, {
    side: model.classifier.name,
    part: partName,
    ...metrics,
  });
}

async function output(flags: UseFlags, text: string, json: object): Promise<Outcome> {
  const outcome = { exitCode: exitCodes.parity, json };
  if (flags.json === undefined) return { ...outcome, text };
  const machine = `${JSON.stringify(json, undefined, 2)}\n`;
  if (flags.json === true) return { ...outcome, text: machine };
  await writeFileAtomic(flags.json, machine);
  return { ...outcome, text };
}

interface Opened {
  readonly model: LoadedModel;
  readonly part: Part;
  readonly partName: string;
  readonly ids: readonly string[];
}

async function open(flags: UseFlags, labelled: boolean): Promise<Opened> {
  const model = await load(flags.model, {
    ...(flags.side !== undefined && { side: flags.side }),
    ...(flags.backend !== undefined && { backend: flags.backend }),
  });
  const trained = await trainedSettings(flags.model);
  const { columns, delimiter, skipMalformed, timeSteps, examples } = dataChoicesOf(flags);
  const seed = flags.seed ?? trained?.seed;
  const trainedColumns = columns ?? trained?.data.columns;
  const steps = timeSteps ?? trained?.data.timeSteps;
  const data = await loadData(flags.data, {
    needLabels: labelled,
    onMalformed: skipMalformed === true ? 'skip' : 'fail',
    onReport: (line) => process.stderr.write(`${line}\n`),
    ...(trainedColumns && { columns: trainedColumns }),
    ...(delimiter !== undefined && { delimiter }),
    ...(seed !== undefined && { seed }),
    ...(steps !== undefined && { timeSteps: steps }),
    ...(examples !== undefined && { examples }),
  });
  const features = data.inputs.shape[2];
  if (features !== model.classifier.features)
    throw new UsageError(
      `${flags.data} has ${features} features, the model takes ${model.classifier.features}; choose them with --feature-columns.`,
    );
  checkFeatureNames(data, model, flags.data);
  const { examples: chosen, partName } = choosePart(flags, data, trained);
  const own = labelled ? { ...data, labels: ownLabels(data, model) } : data;
  return {
    model,
    part: takePart(own, chosen, model.metadata.standardisation),
    partName,
    ids: Array.from(chosen, (n) => data.ids?.[n] ?? String(n)),
  };
}

function checkFeatureNames({ featureNames }: SequenceData, model: LoadedModel, source: string): void {
  const trained = model.metadata.featureNames;
  if (featureNames === undefined || trained === undefined || featureNames.join('\0') === trained.join('\0'))
    return;
  throw new UsageError(
    `${source} has the features ${featureNames.join(', ')} but the model was trained on ${trained.join(', ')}; put them in that order with --feature-columns ${trained.join(',')}.`,
  );
}

/** Labels as the model's class indices. */
function ownLabels({ labels, classNames, source }: SequenceData, model: LoadedModel): Int32Array {
  const known = new Map(model.metadata.classNames.map((name, c) => [name, c]));
  const unknown = classNames.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new UsageError(
      `${source} has labels the model does not know: ${unknown.slice(0, 10).join(', ')}; it knows ${model.metadata.classNames.slice(0, 20).join(', ')}.`,
    );
  return (labels ?? new Int32Array(0)).map((label) => known.get(classNames[label]) ?? -1);
}

interface Trained extends Pick<TrainSettings, 'seed' | 'data'> {
  readonly fingerprint: string;
}

/** How the model was trained, when config.json is beside it; nothing is lost without. */
async function trainedSettings(directory: string): Promise<Trained | undefined> {
  const file = join(directory, 'config.json');
  if (!existsSync(file)) return undefined;
  try {
    const config = JSON.parse(await readFile(file, 'utf8')) as {
      settings: TrainSettings;
      data: { fingerprint: string };
    };
    return { seed: config.settings.seed, data: config.settings.data, fingerprint: config.data.fingerprint };
  } catch {
    return undefined;
  }
}

/** All examples, or those of one side of the split that training made, when these are the data it was trained on. */
function choosePart(flags: UseFlags, data: SequenceData, trained: Trained | undefined) {
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
  const split = splitStratified(data.labels, data.classNames.length, share, trained.seed);
  const examples = wanted === 'train' ? split.train : split.validation;
  const what = wanted === 'train' ? 'trained on' : 'kept back from training';
  return { examples, partName: `the ${examples.length} sequences of ${flags.data} that were ${what}` };
}
