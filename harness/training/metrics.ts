import { clip, matrix, table, tableLines, visible, type Mark, type Table } from '../reports/index';
import { argmax, type Evaluated, type LayersNetwork, type Tensor } from '../../scratch/index';
import type { Part } from './data/index';
import { inputsOf } from './network';

export interface ClassMetrics {
  readonly name: string;
  /** of the examples predicted as this class, the share that is; undefined when none was predicted */ readonly precision:
    number | undefined;
  /** of the examples of this class, the share predicted as it; undefined when there is none */ readonly recall:
    number | undefined;
  readonly examples: number;
}

export interface Metrics extends Evaluated {
  readonly examples: number;
  readonly perClass: readonly ClassMetrics[];
  /** confusion[true][predicted] */ readonly confusion: readonly (readonly number[])[];
}

export interface Predictions {
  /** N class indices */ readonly classes: Int32Array;
  /** [N, C] */ readonly probabilities: Tensor;
}

/** Predicts the classes of a part: one class a sequence. */
export function predictPart(network: LayersNetwork, part: Part): Predictions {
  const { outputs } = network.predict(inputsOf(network.config, part), part.mask ? { mask: part.mask } : {});
  const probabilities = outputs.shape[1] === 1 ? ofTwoClasses(outputs) : outputs;
  return { classes: argmax(probabilities), probabilities };
}

/** A sigmoid gives the probability of the second of two classes. @param outputs [N, 1] @returns [N, 2] */
function ofTwoClasses({ data, shape: [n] }: Tensor): Tensor {
  const probabilities = new Float64Array(2 * n);
  data.forEach((p, i) => probabilities.set([1 - p, p], 2 * i));
  return { data: probabilities, shape: [n, 2] };
}

/** Accuracy, loss, confusion matrix, precision and recall of predictions of labelled examples. */
export function metricsOf(
  predictions: Predictions,
  labels: Int32Array,
  classNames: readonly string[],
  loss: number,
): Metrics {
  const { classes } = predictions;
  const confusion = classNames.map(() => classNames.map(() => 0));
  labels.forEach((label, n) => confusion[label][classes[n]]++);
  const hits = confusion.reduce((sum, row, c) => sum + row[c], 0);
  const perClass = classNames.map((name, c): ClassMetrics => {
    const predicted = confusion.reduce((sum, row) => sum + row[c], 0);
    const examples = confusion[c].reduce((sum, count) => sum + count, 0);
    return {
      name,
      precision: predicted === 0 ? undefined : confusion[c][c] / predicted,
      recall: examples === 0 ? undefined : confusion[c][c] / examples,
      examples,
    };
  });
  return {
    loss,
    accuracy: hits / labels.length,
    examples: labels.length,
    perClass,
    confusion,
  };
}

const percent = (share: number | undefined): string =>
  share === undefined ? '-' : `${(100 * share).toFixed(1)} %`;

/** A class in full on a page, and so that it stays on its line in a terminal. */
const shown = (name: string): Mark => ({ text: name, plain: clip(visible(name), 40) });

/** Precision and recall of each class. */
export function classTable({ perClass }: Metrics): Table {
  return table(
    perClass.map(({ name, precision, recall, examples }) => [
      shown(name),
      percent(precision),
      percent(recall),
      examples,
    ]),
    { head: ['class', 'precision', 'recall', 'examples'] },
  );
}

export function confusionTable({ perClass, confusion }: Metrics): Table {
  return matrix({
    caption: 'confusion matrix (row: true class, column: prediction)',
    rowLabel: 'true',
    columnLabel: 'predicted',
    names: perClass.map(({ name }) => shown(name)),
    counts: confusion,
  });
}

/** Metrics as text for a terminal. */
export function formatMetrics(metrics: Metrics): string {
  const { accuracy, loss, examples, perClass } = metrics;
  const hits = Math.round(accuracy * examples);
  return [
    `accuracy ${(100 * accuracy).toFixed(2)} % (${hits} of ${examples}), loss ${loss.toFixed(4)} nats`,
    '',
    ...tableLines(classTable(metrics)),
    ...(perClass.length <= 20 ? ['', ...tableLines(confusionTable(metrics))] : []),
  ].join('\n');
}

/** Predicts and measures a part; the loss is computed from the logits, so that a probability of 0 does not make it infinite. */
export function evaluatePart(
  network: LayersNetwork,
  part: Part,
  classNames: readonly string[],
): { readonly predictions: Predictions; readonly metrics: Metrics } {
  const predictions = predictPart(network, part);
  const options = part.mask ? { mask: part.mask } : {};
  const { labels } = part;
  const targets =
    network.config.loss === 'sigmoidCrossEntropy' ? { data: labels, shape: [labels.length, 1] } : labels;
  const { loss } = network.evaluate(inputsOf(network.config, part), targets, options);
  return { predictions, metrics: metricsOf(predictions, part.labels, classNames, loss) };
}
