import {
  bullets,
  code,
  fold,
  heading,
  htmlOf,
  markdownOf,
  paragraph,
  section,
  seriesColor,
  textOf,
  type Block,
  type Document,
  type Fact,
  type Figure,
  type Section,
} from '../../reports/index';
import { sweepLines } from '../crossover';
import { describeSize } from '../size';
import { taskTitles } from '../task';
import { judgeClaims, type ClaimVerdict } from './claims';
import { formatBytes, formatMilliseconds } from './format';
import type { BenchReport, SizeReport, SweepReport, TaskReport } from './schema';
import {
  claimTable,
  describeCrossovers,
  enduranceTable,
  engineTable,
  failureLines,
  fastestFirst,
  parityTable,
  spellSize,
  sweepTable,
  taskTable,
} from './tables';

/** The report for a terminal. */
export function textReport(report: BenchReport): string {
  return textOf(benchDocument(report));
}

/** The report as one self-contained page with charts. */
export function htmlReport(report: BenchReport): Promise<string> {
  return htmlOf(benchDocument(report));
}

/** `docs/performance.md`: the report as Markdown, made from the JSON alone. */
export function markdownReport(report: BenchReport, source: string): string {
  const note = `<!-- Made by: rnn-parity bench --from ${source} --markdown. Do not edit; measure again. -->`;
  return markdownOf(benchDocument(report)).replace('\n\n', `\n\n${note}\n\n`);
}

function benchDocument(report: BenchReport): Document {
  const { machine, sweeps, endurance, absent, warnings } = report;
  const swept = new Set(sweeps.flatMap(({ sizes }) => sizes));
  const sizes = report.sizes.filter(({ size: { name } }) => !swept.has(name));
  const claims = judgeClaims(report).filter(({ verdict }) => verdict !== 'not measured');
  return {
    title: 'Performance',
    subtitle:
      `Measured from ${minute(report.started)} to ${minute(report.finished)} UTC on ${machine.cpu}, ${machine.cores} cores, ` +
      `${formatBytes(machine.memoryBytes)}, ${machine.platform}, Node ${machine.node}. ` +
      `Load average before: ${machine.loadAverage.map((load) => load.toFixed(2)).join(', ')}.${productsOf(report)}`,
    facts: [...promiseFact(claims), ...fastestFacts(sizes)],
    sections: [
      ...section('Warnings', bullets(warnings), 'The machine was disturbed, so that times are less certain.'),
      ...section(
        'Promises',
        claims.length === 0 ? [] : [claimTable(claims)],
        'Ratios of medians of this one run.',
      ),
      ...sizes.map((size) => sizeSection(size, report)),
      ...sweeps.map((sweep) => sweepSection(report, sweep)),
      ...section('Endurance', endurance.length === 0 ? [] : [enduranceTable(endurance)]),
      ...section('Absent engines', bullets(absent.map(({ engine, reason }) => `${engine}: ${reason}`))),
      {
        title: 'How it was measured',
        blocks: [
          fold(
            'Procedure',
            paragraph(howMeasured),
            code([['rnn-parity', 'bench', ...report.command].map(quote).join(' ')]),
          ),
          fold('Engines', engineTable(report)),
        ],
      },
    ],
  };
}

const howMeasured =
  `Every engine lives in a process of its own and holds the same weights and data. Before anything is timed, its
scores, its loss and the gradients (read off the timed training step itself, at learning rate 1) must agree with the scratch network.
Then each warms up, and in every round each engine takes one sample, in shuffled order, with a rest in between; the clock runs inside the
engine's process. "faster than" is the ratio of medians, and in brackets the quartiles of the ratio within each round. Our classifiers
take plain arrays through their public methods, checked and copied on every call; tf.layers, Keras, PyTorch and ONNX Runtime hold the
batch of a training step or a forward pass in their own tensors beforehand. OpenBLAS under NumPy chooses its kernels for this processor
(OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are unset). An epoch goes through \`fit\` (PyTorch: an index loop), data movement included. "first
call" may compile; "share of products" is the rate of the products that a training step needs, over what products of
1024 x 1024 x 1024 reach on all cores; "memory" is the resident set of the process after the last round.`.replaceAll(
    '\n',
    ' ',
  );

/** What the shares of products refer to. */
function productsOf({ products }: BenchReport): string {
  if (products === undefined) return '';
  const rate = (x: number): string => String(Math.round(x));
  return ` Products of 1024 x 1024 x 1024 in float32 reach ${rate(products.oneCore)} GFLOP/s on one core and ${rate(products.allCores)} on all (${products.by}).`;
}

function promiseFact(claims: readonly ClaimVerdict[]): Fact[] {
  const met = claims.filter(({ verdict }) => verdict === 'met').length;
  if (claims.length === 0) return [];
  const tone = met === claims.length ? 'good' : 'bad';
  return [{ label: 'Promises met', value: `${met} of ${claims.length}`, tone }];
}

/** The fastest engine of each size's training step. */
function fastestFacts(sizes: readonly SizeReport[]): Fact[] {
  return sizes.flatMap(({ size, tasks }) => {
    const step = tasks.find(({ task }) => task === 'step');
    const best = step === undefined ? undefined : fastestFirst(step).at(0);
    if (best === undefined) return [];
    return [
      {
        label: `${size.name}: fastest step`,
        value: `${best.engine} ${formatMilliseconds(best.spread.median)}`,
      },
    ];
  });
}

function sizeSection(report: SizeReport, { baseline, products }: BenchReport): Section {
  const limit = products && { size: report.size, products };
  const tasks = report.tasks
    .filter(({ results }) => results.length > 0)
    .flatMap((task): Block[] => [
      heading(`${capitalize(taskTitles[task.task])}, ${task.rounds} rounds${othersOf(task)}`),
      spreadChart(task),
      taskTable(task, baseline, limit),
    ]);
  return {
    title: `${report.size.name}: ${spellSize(report)}`,
    blocks: [...tasks, ...bullets(failureLines(report)), fold('Parity before timing', parityTable(report))],
  };
}

function othersOf({ othersShare }: TaskReport): string {
  return othersShare === undefined
    ? ''
    : `; other processes used ${Math.round(100 * othersShare)} % of the processors`;
}

/** One line per engine on a logarithmic axis: whiskers from least to greatest, a bar over the quartiles, the median. */
function spreadChart(report: TaskReport): Figure {
  const { task, rounds } = report;
  const rows = fastestFirst(report).map(({ engine, spread }) => ({ engine, ...spread }));
  return {
    kind: 'figure',
    title: taskTitles[task],
    caption: `milliseconds, logarithmic; ${rounds} rounds; line: least to greatest, bar: quartiles, tick: median`,
    plot: (plot) => ({
      height: 60 + 24 * rows.length,
      marginLeft: 130,
      x: {
        type: 'log',
        label: 'milliseconds per call',
        labelOffset: 36,
        grid: true,
        ticks: 6,
        tickFormat: '~g',
      },
      y: { label: null, domain: rows.map(({ engine }) => engine) },
      marks: [
        plot.ruleY(rows, { y: 'engine', x1: 'min', x2: 'max', stroke: seriesColor(0) }),
        plot.barX(rows, {
          ...{ y: 'engine', x1: 'q1', x2: 'q3' },
          ...{ fill: seriesColor(0), fillOpacity: 0.45, insetTop: 5, insetBottom: 5 },
        }),
        plot.tickX(rows, { y: 'engine', x: 'median', stroke: seriesColor(1), strokeWidth: 2 }),
      ],
    }),
  };
}

function sweepSection(report: BenchReport, sweep: SweepReport): Section {
  return {
    title: `Sweep over ${sweep.letter}, from ${describeSize(sweep.base)}`,
    intro: `Median ${taskTitles[sweep.task]}.`,
    blocks: [sweepChart(report, sweep), sweepTable(report, sweep), ...bullets(describeCrossovers(sweep))],
  };
}

function sweepChart(report: BenchReport, sweep: SweepReport): Figure {
  const lines = sweepLines(report.sizes, sweep).map(({ engine, medians }) => ({
    engine,
    points: medians.flatMap((y, i) => (y === undefined ? [] : [{ x: sweep.values[i], y }])),
  }));
  return {
    kind: 'figure',
    title: `${taskTitles[sweep.task]} against ${sweep.letter}`,
    caption: `median milliseconds, both axes logarithmic; the other sizes as in ${describeSize(sweep.base)}`,
    legend: lines.map(({ engine }, i) => ({ name: engine, color: seriesColor(i), dashed: i >= 6 })),
    plot: (plot) => ({
      x: { type: 'log', label: sweep.letter, labelOffset: 38, ticks: [...sweep.values], tickFormat: String },
      y: { type: 'log', label: 'milliseconds', grid: true, ticks: 6, tickFormat: '~g' },
      marks: [
        ...sweep.crossovers.map(({ at }) =>
          plot.ruleX([at], { stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '3 3' }),
        ),
        ...lines.flatMap(({ points }, i) => [
          plot.line(points, {
            x: 'x',
            y: 'y',
            stroke: seriesColor(i),
            strokeWidth: 2,
            ...(i >= 6 ? { strokeDasharray: '6 4' } : {}),
          }),
          plot.dot(points, { x: 'x', y: 'y', fill: seriesColor(i), r: 2.5 }),
        ]),
      ],
    }),
  };
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const quote = (argument: string): string =>
  /^[\w./:=,@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
