import type { LayerConfig } from '../../../scratch/index';
import { table, type Cell, type Table } from '../../reports/index';
import { engineEntries } from '../catalogue';
import { sweepLines } from '../crossover';
import { type ClaimVerdict, memoryGrowth } from './claims';
import { formatBytes, formatMilliseconds, formatRatio, threeDigits } from './format';
import type { BenchReport, EnduranceReport, SizeReport, SweepReport, TaskReport, TaskResult } from './schema';
import type { MachineProducts } from '../products';
import { sizeLetters, stepMultiplyAdds, type BenchSize } from '../size';

/**
 * One task at one size, fastest engine first.
 *
 * @param limit what the share of the machine's products refers to; a column of its own for training steps
 */
export function taskTable(
  report: TaskReport,
  baseline: string | undefined,
  limit?: { readonly size: BenchSize; readonly products: MachineProducts },
): Table {
  const shared = report.task === 'step' ? limit : undefined;
  const share = (milliseconds: number, { size, products }: NonNullable<typeof limit>): string => {
    const rate = (2 * stepMultiplyAdds(size)) / milliseconds / 1e6;
    return `${threeDigits((100 * rate) / products.allCores)} %`;
  };
  return table(
    fastestFirst(report).map(({ engine, spread, speedup, firstMilliseconds, memory }) => [
      engine,
      formatMilliseconds(spread.median),
      formatRange(spread.q1, spread.q3),
      formatRange(spread.min, spread.max),
      engine === baseline
        ? 'baseline'
        : speedup === undefined
          ? ''
          : `${formatRatio(speedup.ofMedians)} (${threeDigits(speedup.paired.q1)} to ${threeDigits(speedup.paired.q3)})`,
      ...(shared ? [share(spread.median, shared)] : []),
      formatMilliseconds(firstMilliseconds),
      formatBytes(memory.after.rssBytes),
    ]),
    {
      head: [
        'engine',
        'median',
        'quartiles',
        'least to greatest',
        `faster than ${baseline ?? 'nothing'}`,
        ...(shared ? ['share of products'] : []),
        'first call',
        'memory',
      ],
    },
  );
}

/** The results of a task by median time. */
export function fastestFirst({ results }: TaskReport): TaskResult[] {
  return [...results].sort((left, right) => left.spread.median - right.spread.median);
}

/** What every engine was compared on before timing, and how close it came. */
export function parityTable({ engines }: SizeReport): Table {
  return table(
    engines.map(({ engine, parity, loadMilliseconds, settings = {} }) => {
      const worst = parity.reduce<(typeof parity)[number] | undefined>(
        (record, entry) =>
          record === undefined || entry.difference / entry.allowed > record.difference / record.allowed
            ? entry
            : record,
        undefined,
      );
      return [
        engine,
        `${parity.length} tensors`,
        worst?.name ?? '',
        worst === undefined ? '' : `${threeDigits((100 * worst.difference) / worst.allowed)} %`,
        formatMilliseconds(loadMilliseconds),
        Object.entries(settings)
          .map(([setting, value]) => `${setting}: ${value}`)
          .join(', '),
      ];
    }),
    {
      head: [
        'engine',
        'compared with scratch',
        'worst',
        'share of what is allowed',
        'libraries load in',
        'settings',
      ],
    },
  );
}

/** The promises. */
export function claimTable(claims: readonly ClaimVerdict[]): Table {
  return table(
    claims.map(({ claim, where, required, measured, verdict }): Cell[] => [
      claim,
      where,
      required,
      measured ?? '',
      { text: verdict, ...(verdict !== 'not measured' && { tone: verdict === 'met' ? 'good' : 'bad' }) },
    ]),
    { head: ['promise', 'at', 'required', 'measured', ''] },
  );
}

/** Median times along a sweep, one row per value, and the fastest engine. */
export function sweepTable(report: BenchReport, sweep: SweepReport): Table {
  const lines = sweepLines(report.sizes, sweep);
  return table(
    sweep.values.map((value, i) => [
      String(value),
      ...lines.map(({ medians }) => {
        const median = medians[i];
        return median === undefined ? '' : formatMilliseconds(median);
      }),
    ]),
    { head: [sweep.letter, ...lines.map(({ engine }) => engine)] },
  );
}

/** `scratch is fastest up to about T = 12 (between 10 and 20), then graph`. */
export function describeCrossovers({ letter, crossovers }: SweepReport): string[] {
  return crossovers.map(
    ({ below, above, at, between: [lower, upper] }) =>
      `${below} is fastest up to about ${letter} = ${threeDigits(at)} (between ${lower} and ${upper}), then ${above}`,
  );
}

/** Memory at the start and the end of many calls. */
export function enduranceTable(reports: readonly EnduranceReport[]): Table {
  return table(
    reports.flatMap(({ engine, size, steps, cycles }) =>
      [steps, cycles].map((series) => {
        const [first, last] = [series.readings.at(0), series.readings.at(-1)];
        const growth = memoryGrowth(series);
        return [
          engine,
          size.name,
          `${last?.calls ?? 0} x ${series.task}`,
          first === undefined ? '' : formatBytes(first.rssBytes),
          last === undefined ? '' : formatBytes(last.rssBytes),
          growth === undefined ? '' : formatBytes(growth.bytes),
          growth?.tensors === undefined ? '' : String(growth.tensors),
        ];
      }),
    ),
    { head: ['engine', 'at', 'calls', 'memory before', 'memory after', 'growth', 'tensors more'] },
  );
}

/** The engines of a report with what they are and the versions they ran on. */
export function engineTable({ versions }: BenchReport): Table {
  return table(
    engineEntries
      .filter(({ name }) => name in versions)
      .map(({ name, title }) => [
        name,
        title,
        Object.entries(versions[name])
          .map(([library, version]) => `${library} ${version}`)
          .join(', '),
      ]),
    { head: ['engine', 'what it is', 'versions'] },
  );
}

/** `32 sequences of 28 steps, 28 features, 128 units, 10 classes`. */
export function spellSize({ size }: SizeReport): string {
  const words = { B: 'sequences of', T: 'steps,', F: 'features,', U: 'units,', C: 'classes' } as const;
  const letters = Object.entries(sizeLetters).filter(([letter]) => letter !== 'U' || !size.layers);
  const sentence = letters.map(([letter, field]) => `${size[field]} ${words[letter as keyof typeof words]}`);
  const layers = size.layers === undefined ? '' : `, ${describeLayers(size.layers)}`;
  return `${sentence.join(' ')}${layers}${size.data === 'digits' ? ', handwritten digits' : ''}`;
}

/** What went wrong with engines at this size, one line each. */
export function failureLines({ engines }: SizeReport): string[] {
  return engines.flatMap(({ engine, failures }) =>
    failures.map(({ kind, during, message }) => {
      const what = { wrong: 'is wrong, so it was not timed', slow: 'was left out', failed: 'failed' }[kind];
      return `${engine} ${what} (${during}): ${message}`;
    }),
  );
}

function formatRange(from: number, to: number): string {
  return `${formatMilliseconds(from)} to ${formatMilliseconds(to)}`;
}

/** `lstm 128, bidirectional gru 64`. */
function describeLayers(layers: readonly LayerConfig[]): string {
  return layers
    .map((layer) => {
      const inner = 'wrapped' in layer ? layer.wrapped : layer;
      const units = 'units' in inner ? ` ${inner.units}` : '';
      return inner === layer ? `${layer.layer}${units}` : `${layer.layer} ${inner.layer}${units}`;
    })
    .join(', ');
}
