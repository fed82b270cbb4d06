import { ScratchNetwork, type StackWeights } from '../../scratch/index';
import { formatLayers } from '../base/layers-text';
import type { Part } from './data/index';
import {
  code,
  htmlOf,
  lineChart,
  paragraph,
  row,
  table,
  type Figure,
  type Picture,
  type Section,
  type Series,
} from '../reports/index';
import { greyImage } from '../reports/image/index';
import type { Agreement, EpochRecord, SideEpoch } from './history';
import { classTable, confusionTable, type Metrics, type Predictions } from './metrics';
import type { PreparedData } from './prepare';
import type { RunResult } from './run';
import type { TrainSettings } from './settings';

export interface TrainingReportOptions extends Pick<RunResult, 'history' | 'config' | 'initialWeights'> {
  readonly settings: TrainSettings;
  readonly data: PreparedData;
  readonly finalWeights: StackWeights;
  /** of the part that `metrics` measures */ readonly part: Part;
  readonly partName: 'validation' | 'training';
  readonly metrics: Metrics;
  readonly predictions: Predictions;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** The report of a training run as one HTML file. */
export function trainingReport(options: TrainingReportOptions): Promise<string> {
  const { config, data, history, metrics, partName } = options;
  const agreement = history.at(-1)?.agreement;
  return htmlOf({
    title: `Training on ${data.source}`,
    subtitle: `A network of ${formatLayers(config.layers)} learns to tell ${data.identity.classNames.length} classes apart in sequences of up to ${data.identity.timeSteps} steps.`,
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
    sections: [
      learningSection(options),
      ...(agreement ? [agreementSection(history)] : []),
      ...(config.features === undefined ? [] : [gradientSection(options)]),
      confusionSection(options),
      mistakesSection(options),
      settingsSection(options),
    ],
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

function learningSection({ history }: TrainingReportOptions): Section {
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
    blocks: [
      row(
        lineChart({
          title: 'Loss',
          xLabel: 'epoch',
          yLabel: 'loss (nats)',
          series: series('loss', 'validationLoss'),
        }),
        lineChart({
          title: 'Accuracy',
          xLabel: 'epoch',
          yLabel: 'accuracy',
          series: series('accuracy', 'validationAccuracy'),
        }),
      ),
    ],
  };
}

function agreementSection(history: readonly EpochRecord[]): Section {
  const against = (title: string, yLabel: string, series: readonly Series[]): Figure =>
    lineChart({ title, xLabel: 'epoch', yLabel, yScale: 'log', series });
  const line = (
    name: string,
    value: (agreement: Agreement) => number | undefined,
    look: Partial<Series> = {},
  ): Series => ({
    name,
    points: history.map(({ epoch, agreement }) => ({
      x: epoch,
      y: (agreement === undefined ? undefined : value(agreement)) ?? Number.NaN,
    })),
    ...look,
  });
  const bound = { color: 1, dashed: true };
  return {
    title: 'Do both sides learn the same?',
    intro:
      'Rounding alone lets the weights of a float32 and a float64 network drift apart, and training amplifies it. The noise is measured: a copy of the float32 side whose weights are moved by a few roundings after every step. The step check puts scratch at the float32 side’s own weights and compares a single update with what rounding allows.',
    blocks: [
      row(
        against('Drift of the weights against float32 noise', '‖difference‖ / ‖weights‖', [
          line('drift between the sides', ({ drift }) => drift),
          line('float32 noise', ({ noise }) => noise, { color: 2 }),
          line('allowed', ({ limit }) => limit, bound),
        ]),
        against('Single steps from the same weights', 'deviation / rounding budget', [
          line('worst step of the epoch', ({ worstStep }) => worstStep?.share),
          line('allowed', () => 1, bound),
        ]),
      ),
    ],
  };
}

function gradientSection(options: TrainingReportOptions): Section {
  const { config, data, initialWeights, finalWeights } = options;
  const [, t, f] = data.train.inputs.shape;
  const count = Math.min(64, data.train.labels.length);
  const inputs = { data: data.train.inputs.data.subarray(0, count * t * f), shape: [count, t, f] };
  const mask = data.train.mask && { data: data.train.mask.data.subarray(0, count * t), shape: [count, t] };
  const labels = data.train.labels.subarray(0, count);
  const norms = (weights: StackWeights): { x: number; y: number }[] => {
    const network = new ScratchNetwork({ ...config, weights });
    const { gradients } = network.lossAndGradients(inputs, labels, mask ? { mask } : {});
    const squares = new Float64Array(t);
    gradients.inputs?.data.forEach((g, i) => (squares[Math.floor(i / f) % t] += g * g));
    // steps that no example has are no points of a logarithmic axis
    return Array.from(squares, (sum, x) => ({ x, y: Math.sqrt(sum) })).filter(({ y }) => y > 0);
  };
  const [before, after] = [norms(initialWeights), norms(finalWeights)];
  return {
    title: 'How far the gradient reaches back',
    intro: `Norm of the loss’s gradient with respect to the inputs of each time step, over ${count} training examples: from the last step (right) back to the first (left) it changed by a factor of ${ratio(before)} before training and ${ratio(after)} after. A curve that falls to the left vanishes, one that rises explodes.`,
    blocks: [
      lineChart({
        title: 'Gradient norm per time step',
        xLabel: 'time step',
        yLabel: '‖∂loss / ∂input‖',
        yScale: 'log',
        series: [
          { name: 'before training', points: before, dashed: true, color: 3 },
          { name: 'after training', points: after },
        ],
      }),
    ],
  };
}

function ratio(points: readonly { y: number }[]): string {
  const value = (points.at(0)?.y ?? 0) / (points.at(-1)?.y ?? 1);
  return Number.isFinite(value) ? value.toPrecision(2) : 'no number';
}

function confusionSection({ metrics, partName, data }: TrainingReportOptions): Section {
  const { classNames } = data.identity;
  const left = `The matrix of ${classNames.length} classes is left out of this page; rnn-parity evaluate --json has it.`;
  return {
    title: 'Confusion',
    intro: `${Math.round(metrics.accuracy * metrics.examples)} of ${metrics.examples} ${partName} examples are classified correctly.`,
    blocks: [classNames.length <= 40 ? confusionTable(metrics) : paragraph(left), classTable(metrics)],
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
  const picture = (n: number): Picture => {
    const predicted = predictions.classes[n];
    const [right, name] = [part.labels[n], predicted].map((label) => classNames[label]);
    const first = n * timeSteps * features;
    const values = part.inputs.data.subarray(first, first + part.lengths[n] * features);
    return {
      source: imageOf(values, part.lengths[n], features),
      alt: `example ${part.examples[n]}, a ${right} taken for a ${name}`,
      caption: `is ${right}, predicted ${name} at ${(100 * probability(n, predicted)).toFixed(1)}\u00a0%`,
    };
  };
  return {
    title: 'The worst mistakes',
    intro:
      wrong.length === 0
        ? `Every one of the ${partName} examples is classified correctly.`
        : `The ${wrong.length} ${partName} examples whose true class got the smallest probability, ${features < 8 ? 'time from left to right' : 'time from top to bottom'}.`,
    blocks: [{ kind: 'gallery', pictures: wrong.map(picture) }],
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
    blocks: [
      row(
        table(rows, { head: ['setting', 'value'] }),
        table([...Object.entries(versions), ['data SHA-256', data.identity.fingerprint]], {
          head: ['program', 'version'],
        }),
      ),
      code(data.summary),
    ],
  };
}
