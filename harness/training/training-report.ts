import { ScratchSimpleRNNClassifier, type ClassifierWeights } from '../../scratch/index';
import type { Part } from './data/index';
import {
  greyImage,
  html,
  lineChart,
  matrix,
  page,
  table,
  type Html,
  type Section,
  type Series,
} from '../reports/index';
import type { EpochRecord, SideEpoch } from './history';
import type { Metrics, Predictions } from './metrics';
import type { PreparedData } from './prepare';
import type { TrainSettings } from './settings';

export interface TrainingReportOptions {
  readonly settings: TrainSettings;
  readonly data: PreparedData;
  readonly history: readonly EpochRecord[];
  readonly initialWeights: ClassifierWeights;
  readonly finalWeights: ClassifierWeights;
  /** of the part that `metrics` measures */ readonly part: Part;
  readonly partName: 'validation' | 'training';
  readonly metrics: Metrics;
  readonly predictions: Predictions;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** The report of a training run as one HTML file. */
export async function trainingReport(options: TrainingReportOptions): Promise<string> {
  const { settings, data, history, metrics, partName } = options;
  const agreement = history.at(-1)?.agreement;
  const sections: Section[] = [
    await learningSection(options),
    ...(agreement ? [await agreementSection(history)] : []),
    await gradientSection(options),
    confusionSection(options),
    mistakesSection(options),
    settingsSection(options),
  ];
  return page({
    title: `Training on ${data.source}`,
    subtitle: `A SimpleRNN of ${settings.units} units learns to tell ${data.identity.classNames.length} classes apart in sequences of up to ${data.identity.timeSteps} steps.`,
    facts: [
      { label: `${partName} accuracy`, value: `${(100 * metrics.accuracy).toFixed(2)} %` },
      { label: `${partName} loss`, value: `${metrics.loss.toFixed(4)} nats` },
      { label: 'epochs', value: String(history.length) },
      { label: 'time', value: `${options.seconds.toFixed(1)} s` },
      ...(agreement
        ? [
            {
              label: 'both sides learn alike',
              value: agreement.verdict === 'rounding' ? 'yes' : 'no',
              tone: agreement.verdict === 'rounding' ? ('good' as const) : ('bad' as const),
            },
          ]
        : []),
    ],
    sections,
    footer: Object.entries(options.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(' · '),
  });
}

function curve(
  history: readonly EpochRecord[],
  side: number,
  value: (epoch: SideEpoch) => number | undefined,
): { x: number; y: number }[] {
  return history.flatMap(({ epoch, sides }) => {
    const y = value(sides[side]);
    return y === undefined ? [] : [{ x: epoch, y }];
  });
}

async function learningSection({ history }: TrainingReportOptions): Promise<Section> {
  const sides = history[0]?.sides ?? [];
  const series = (training: keyof SideEpoch, validation: keyof SideEpoch): Series[] =>
    sides.flatMap(({ name }, i): Series[] => {
      // The second side is drawn broken over the first, so that both are seen where they coincide.
      const look = { color: 2 * i, dashed: i > 0 };
      const held = curve(history, i, (epoch) => epoch[validation] as number | undefined);
      return [
        {
          name: `${name}, training`,
          points: curve(history, i, (epoch) => epoch[training] as number),
          ...look,
        },
        ...(held.length === 0
          ? []
          : [{ name: `${name}, validation`, points: held, ...look, color: 2 * i + 1 }]),
      ];
    });
  return {
    title: 'Learning curves',
    intro: `Training values are means over the epoch, each example measured just before the update that it takes part in.${sides.length > 1 ? ' Both sides start from the same weights and see the same batches; where the curves coincide, the broken line lies on the unbroken one.' : ''}`,
    body: html`<div class="row">
      ${await lineChart({ title: 'Loss', xLabel: 'epoch', yLabel: 'loss (nats)', series: series('loss', 'validationLoss') })}${await lineChart(
        {
          title: 'Accuracy',
          xLabel: 'epoch',
          yLabel: 'accuracy',
          series: series('accuracy', 'validationAccuracy'),
        },
      )}
    </div>`,
  };
}

async function agreementSection(history: readonly EpochRecord[]): Promise<Section> {
  const points = (value: (record: EpochRecord) => number): { x: number; y: number }[] =>
    history.map((record) => ({ x: record.epoch, y: value(record) }));
  return {
    title: 'Do both sides learn the same?',
    intro:
      'Rounding alone lets the weights of a float32 and a float64 network drift apart, and training amplifies it. The noise is measured: a copy of the float32 side whose weights are moved by a few roundings after every step. The step check puts scratch at the float32 side’s own weights and compares a single update with what rounding allows.',
    body: html`<div class="row">
      ${await lineChart({
        title: 'Drift of the weights against float32 noise',
        xLabel: 'epoch',
        yLabel: '‖difference‖ / ‖weights‖',
        yScale: 'log',
        series: [
          {
            name: 'drift between the sides',
            points: points(({ agreement }) => agreement?.drift ?? Number.NaN),
          },
          {
            name: 'float32 noise',
            points: points(({ agreement }) => agreement?.noise ?? Number.NaN),
            color: 2,
          },
          {
            name: 'allowed',
            points: points(({ agreement }) => agreement?.limit ?? Number.NaN),
            color: 1,
            dashed: true,
          },
        ],
      })}${await lineChart({
        title: 'Single steps from the same weights',
        xLabel: 'epoch',
        yLabel: 'deviation / rounding budget',
        yScale: 'log',
        series: [
          {
            name: 'worst step of the epoch',
            points: points(({ agreement }) => agreement?.worstStep?.share ?? Number.NaN),
          },
          { name: 'allowed', points: points(() => 1), color: 1, dashed: true },
        ],
      })}
    </div>`,
  };
}

async function gradientSection(options: TrainingReportOptions): Promise<Section> {
  const { data, initialWeights, finalWeights } = options;
  const [, t, f] = data.train.inputs.shape;
  const count = Math.min(64, data.train.labels.length);
  const inputs = { data: data.train.inputs.data.subarray(0, count * t * f), shape: [count, t, f] };
  const mask = data.train.mask && { data: data.train.mask.data.subarray(0, count * t), shape: [count, t] };
  const norms = (weights: ClassifierWeights): { x: number; y: number }[] => {
    const [features, units] = weights.kernel.shape;
    const network = new ScratchSimpleRNNClassifier({
      features,
      units,
      classes: weights.outputBias.shape[0],
      weights,
    });
    const values = network.stateGradientNorms(
      inputs,
      data.train.labels.subarray(0, count),
      mask ? { mask } : {},
    );
    return Array.from(values, (y, x) => ({ x, y }));
  };
  const [before, after] = [norms(initialWeights), norms(finalWeights)];
  return {
    title: 'How far the gradient reaches back',
    intro: html`Norm of the loss’s gradient with respect to the state after each time step, over ${count}
    training examples: from the last step (right) back to the initial state (left) it changed by a factor of
    ${ratio(before)} before training and ${ratio(after)} after. A curve that falls to the left vanishes, one
    that rises explodes.`,
    body: await lineChart({
      title: 'Gradient norm per time step',
      xLabel: 'time step',
      yLabel: '‖∂loss / ∂state‖',
      yScale: 'log',
      series: [
        { name: 'before training', points: before, dashed: true, color: 3 },
        { name: 'after training', points: after },
      ],
    }),
  };
}

function ratio(points: readonly { y: number }[]): string {
  const value = (points.at(0)?.y ?? 0) / (points.at(-1)?.y ?? 1);
  return Number.isFinite(value) ? value.toPrecision(2) : 'no number';
}

const share = (value: number | undefined): string =>
  value === undefined ? '–' : `${(100 * value).toFixed(1)}\u00a0%`;

function confusionSection({ metrics, partName, data }: TrainingReportOptions): Section {
  const { classNames } = data.identity;
  const shown = classNames.length <= 40;
  return {
    title: 'Confusion',
    intro: `${Math.round(metrics.accuracy * metrics.examples)} of ${metrics.examples} ${partName} examples are told right.`,
    body: html`${
      shown
        ? matrix({
            caption: 'Rows: true class; columns: prediction; shaded by the share of the row',
            rowLabel: 'true',
            columnLabel: 'told',
            names: classNames,
            counts: metrics.confusion,
          })
        : html`<p>
            The matrix of ${classNames.length} classes is left out of this page; rnn-parity evaluate --json
            has it.
          </p>`
    }${table({
      head: ['class', 'precision', 'recall', 'examples'],
      rows: metrics.perClass.map(({ name, precision, recall, examples }) => [
        name,
        share(precision),
        share(recall),
        examples,
      ]),
    })}`,
  };
}

function mistakesSection({ part, partName, predictions, data }: TrainingReportOptions): Section {
  const { classNames, timeSteps, features } = data.identity;
  const probability = (n: number, c: number): number =>
    predictions.probabilities.data[n * classNames.length + c];
  const wrong = Array.from(part.labels.keys())
    .filter((n) => predictions.classes[n] !== part.labels[n])
    .sort((a, b) => probability(a, part.labels[a]) - probability(b, part.labels[b]))
    .slice(0, 24);
  const picture = (n: number): Html => {
    const told = predictions.classes[n];
    const values = part.inputs.data.subarray(
      n * timeSteps * features,
      (n * timeSteps + part.lengths[n]) * features,
    );
    return html`<figure>
      <img
        alt="example ${part.examples[n]}, a ${classNames[part.labels[n]]} taken for a ${classNames[told]}"
        src="${imageOf(values, part.lengths[n], features)}"
      />
      <figcaption>
        is <b>${classNames[part.labels[n]]}</b>, told <b class="bad">${classNames[told]}</b> at
        ${share(probability(n, told))}
      </figcaption>
    </figure>`;
  };
  return {
    title: 'The worst mistakes',
    intro:
      wrong.length === 0
        ? `There are none among the ${partName} examples.`
        : `The ${wrong.length} ${partName} examples whose true class got the smallest probability, ${features < 8 ? 'time from left to right' : 'time from top to bottom'}.`,
    body: html`<div class="gallery">${wrong.map(picture)}</div>`,
  };
}

function imageOf(values: Float32Array, steps: number, features: number): string {
  if (features >= 8) return greyImage(values, steps, features);
  const turned = Float32Array.from(values, (_, i) => values[(i % steps) * features + Math.floor(i / steps)]);
  return greyImage(turned, features, steps);
}

function settingsSection({ settings, data, versions }: TrainingReportOptions): Section {
  const { data: dataSettings, ...rest } = settings;
  const rows = Object.entries({ ...dataSettings, ...rest }).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return {
    title: 'Settings and versions',
    body: html`<div class="row">
        ${table({ head: ['setting', 'value'], rows })}${table({
          head: ['program', 'version'],
          rows: [...Object.entries(versions), ['data SHA-256', data.identity.fingerprint]].map(
            ([name, version]) => [name, version],
          ),
        })}
      </div>
      <pre>${data.summary.join('\n')}</pre>`,
  };
}
