import {
  figure,
  html,
  page,
  seriesColor,
  table,
  type Fact,
  type Html,
  type LegendItem,
  type Section,
} from '../../reports/index';
import { judgeClaims, type ClaimVerdict } from './claims';
import { formatMilliseconds } from './format';
import type { BenchReport, SizeReport, SweepReport, TaskReport } from './schema';
import { describeSize } from '../size';
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
  type PlainTable,
} from './tables';
import { taskTitles } from '../task';

/** The report as one self-contained page with charts. */
export async function htmlReport(report: BenchReport): Promise<string> {
  const { machine, sweeps, endurance, absent, warnings } = report;
  const swept = new Set(sweeps.flatMap(({ sizes }) => sizes));
  const sections: Section[] = [];
  const claims = judgeClaims(report).filter(({ verdict }) => verdict !== 'not measured');
  if (claims.length > 0) sections.push({ title: 'Promises', body: draw(claimTable(claims)) });
  for (const size of report.sizes.filter(({ size: { name } }) => !swept.has(name))) {
    sections.push(await sizeSection(size, report.baseline));
  }
  for (const sweep of sweeps) sections.push(await sweepSection(report, sweep));
  if (endurance.length > 0) sections.push({ title: 'Endurance', body: draw(enduranceTable(endurance)) });
  sections.push({
    title: 'Engines',
    body: [
      draw(engineTable(report)),
      absent.map(({ engine, reason }) => html`<p>${engine} was absent: ${reason}</p>`),
    ],
  });
  return page({
    title: 'rnn-parity bench',
    subtitle: `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, ${report.started}`,
    facts: [...promiseFact(claims), ...facts(report)],
    sections: [
      ...(warnings.length === 0
        ? []
        : [
            {
              title: 'Disturbed',
              body: html`<ul>
                ${warnings.map((line) => html`<li>${line}</li>`)}
              </ul>`,
            },
          ]),
      ...sections,
    ],
    footer: `rnn-parity bench ${report.command.join(' ')}`,
  });
}

function promiseFact(claims: readonly ClaimVerdict[]): Fact[] {
  const met = claims.filter(({ verdict }) => verdict === 'met').length;
  if (claims.length === 0) return [];
  const tone = met === claims.length ? 'good' : 'bad';
  return [{ label: 'Promises met', value: `${met} of ${claims.length}`, tone }];
}

/** The fastest engine of each size's training step. */
function facts({ sizes, sweeps }: BenchReport): Fact[] {
  const swept = new Set(sweeps.flatMap((sweep) => sweep.sizes));
  return sizes
    .filter(({ size }) => !swept.has(size.name))
    .flatMap(({ size, tasks }) => {
      const step = tasks.find(({ task }) => task === 'step');
      const best = step === undefined ? undefined : fastestFirst(step).at(0);
      if (best === undefined) return [];
      const value = `${best.engine} ${formatMilliseconds(best.spread.median)}`;
      return [{ label: `${size.name}: fastest step`, value }];
    });
}

async function sizeSection(report: SizeReport, baseline: string | undefined): Promise<Section> {
  const parts: Html[] = [];
  for (const task of report.tasks.filter(({ results }) => results.length > 0)) {
    parts.push(await spreadChart(task), draw(taskTable(task, baseline)));
  }
  return {
    title: `${report.size.name}: ${spellSize(report)}`,
    body: [
      ...parts,
      ...failureLines(report).map((line) => html`<p class="bad">${line}</p>`),
      html`<details>
        <summary>Parity before timing</summary>
        ${draw(parityTable(report))}
      </details>`,
    ],
  };
}

/** One line per engine on a logarithmic axis: whiskers from least to greatest, a bar over the quartiles, the median. */
function spreadChart(report: TaskReport): Promise<Html> {
  const { task, rounds } = report;
  const rows = fastestFirst(report).map(({ engine, spread }) => ({ engine, ...spread }));
  return figure({
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
  });
}

async function sweepSection(report: BenchReport, sweep: SweepReport): Promise<Section> {
  const lines = sweepLines(report, sweep);
  const legend: LegendItem[] = lines.map(({ engine }, i) => ({
    name: engine,
    color: seriesColor(i),
    dashed: i >= 6,
  }));
  const chart = await figure({
    title: `${taskTitles[sweep.task]} against ${sweep.letter}`,
    caption: `median milliseconds, both axes logarithmic; the other sizes as in ${describeSize(sweep.base)}`,
    legend,
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
  });
  return {
    title: `Sweep over ${sweep.letter}`,
    body: [
      chart,
      html`<ul>
        ${describeCrossovers(sweep).map((line) => html`<li>${line}</li>`)}
      </ul>`,
      draw(sweepTable(report, sweep)),
    ],
  };
}

function sweepLines(report: BenchReport, sweep: SweepReport) {
  const lines = new Map<string, { x: number; y: number }[]>();
  sweep.sizes.forEach((name, i) => {
    const task = report.sizes
      .find(({ size }) => size.name === name)
      ?.tasks.find((one) => one.task === sweep.task);
    for (const { engine, spread } of task?.results ?? []) {
      const points = lines.get(engine) ?? [];
      points.push({ x: sweep.values[i], y: spread.median });
      lines.set(engine, points);
    }
  });
  return Array.from(lines, ([engine, points]) => ({ engine, points }));
}

/** Engine names stay in one piece; verdicts have their colour. */
function draw({ head, rows }: PlainTable): Html {
  const tones: Readonly<Record<string, string>> = { met: 'good', missed: 'bad' };
  const cell = (text: string): Html => {
    const tone = tones[text] as string | undefined;
    const whole = text.length < 24 ? html` style="white-space: nowrap"` : undefined;
    return html`<span${tone === undefined ? undefined : html` class="${tone}"`}${whole}>${text}</span>`;
  };
  return table({ head, rows: rows.map((row) => row.map(cell)) });
}
