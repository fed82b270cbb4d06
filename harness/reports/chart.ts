import type * as ObservablePlot from '@observablehq/plot';
import type { Markish, PlotOptions } from '@observablehq/plot';
import { html, raw, type Html, type HtmlPart } from './html';

type Plot = typeof ObservablePlot;

/** Colours that change with light and dark; by position of a series. */
export function seriesColor(index: number): string {
  return `var(--series-${(index % 6) + 1})`;
}

export interface FigureOptions {
  readonly title: string;
  /** what to see in it */ readonly caption?: HtmlPart;
  readonly legend?: readonly LegendItem[];
  /** builds the chart; use `seriesColor` and `currentColor` so that it is readable in light and dark */
  readonly plot: (plot: Plot) => PlotOptions;
}

export interface LegendItem {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
}

/** A chart by Observable Plot, rendered to SVG without a browser, with title, caption and legend. */
export async function figure(options: FigureOptions): Promise<Html> {
  const [plot, linkedom] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  // This project is compiled without the browser's types, which both libraries name.
  const { document } = linkedom.parseHTML('<!doctype html><body></body>') as unknown as { document: never };
  const svg: unknown = plot.plot({
    width: 620,
    height: 300,
    marginTop: 28,
    marginLeft: 60,
    marginBottom: 42,
    ...options.plot(plot),
    document,
    style: {
      background: 'transparent',
      color: 'currentColor',
      fontSize: '12px',
      fontFamily: 'inherit',
    } as object,
    ariaLabel: options.title,
  });
  return html`<figure>
    <figcaption>
      <strong>${options.title}</strong
      >${options.caption}${options.legend === undefined ? undefined : legendOf(options.legend)}
    </figcaption>
    ${raw((svg as { readonly outerHTML: string }).outerHTML)}
  </figure>`;
}

function legendOf(items: readonly LegendItem[]): Html {
  const item = ({ name, color, dashed }: LegendItem): Html =>
    html`<span style="--mark: ${color};${dashed === true ? ' --dash: dashed' : ''}">${name}</span>`;
  return html`<div class="legend">${items.map(item)}</div>`;
}

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** drawn broken, for what only accompanies */ readonly dashed?: boolean;
  /** which colour; default by position */ readonly color?: number;
}

export interface LineChartOptions {
  readonly title: string;
  readonly caption?: HtmlPart;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  readonly yScale?: 'linear' | 'log';
  readonly yDomain?: readonly [number, number];
}

/** Lines over a common axis, one per series; on a logarithmic axis values that are not above 0 are left out. */
export function lineChart(options: LineChartOptions): Promise<Html> {
  const { series, xLabel, yLabel, yScale = 'linear', yDomain } = options;
  const drawn = series.map((one) => ({
    ...one,
    points: one.points.filter(({ y }) => Number.isFinite(y) && (yScale === 'linear' || y > 0)),
  }));
  const color = (one: Series, i: number): string => seriesColor(one.color ?? i);
  const whole = drawn.every(({ points }) => points.every(({ x }) => Number.isInteger(x)));
  const most = Math.max(1, ...drawn.map(({ points }) => points.length));
  return figure({
    title: options.title,
    ...(options.caption === undefined ? {} : { caption: options.caption }),
    legend: series.map((one, i) => ({ name: one.name, color: color(one, i), dashed: one.dashed ?? false })),
    plot: (plot) => ({
      x: {
        label: xLabel,
        labelOffset: 38,
        nice: false,
        ...(whole ? { tickFormat: 'd', ticks: Math.min(10, most) } : {}),
      },
      y: {
        label: yLabel,
        grid: true,
        type: yScale,
        ...(yDomain === undefined ? { nice: true } : { domain: yDomain }),
        ...(yScale === 'log' ? { tickFormat: '.0e', ticks: 5 } : {}),
      },
      marks: drawn.flatMap((one, i): Markish[] => [
        plot.line(one.points, {
          x: 'x',
          y: 'y',
          stroke: color(one, i),
          strokeWidth: 2,
          ...(one.dashed === true ? { strokeDasharray: '6 4' } : {}),
        }),
        // A series of one epoch is a point, not an invisible line.
        ...(one.points.length > 30
          ? []
          : [plot.dot(one.points, { x: 'x', y: 'y', fill: color(one, i), r: 2.5 })]),
      ]),
    }),
  });
}

export interface MatrixOptions {
  readonly caption: string;
  readonly rowLabel: string;
  readonly columnLabel: string;
  readonly names: readonly string[];
  /** counts[row][column] */ readonly counts: readonly (readonly number[])[];
}

/** A square table of counts, shaded by their share of the row; off the diagonal in the colour of a miss. */
export function matrix({ caption, rowLabel, columnLabel, names, counts }: MatrixOptions): Html {
  const cell = (count: number, r: number, c: number): Html => {
    const total = counts[r].reduce((sum, n) => sum + n, 0);
    const share = total === 0 ? 0 : count / total;
    const alpha = r === c ? 0.55 * share : Math.min(0.6, 6 * share);
    const color = r === c ? '--heat' : '--miss';
    return html`<td class="number" style="background: rgba(var(${color}), ${alpha.toFixed(3)})">
      ${count === 0 ? '' : String(count)}
    </td>`;
  };
  return html`<div class="scroll">
    <table class="matrix">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th>${rowLabel} \\ ${columnLabel}</th>
          ${names.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${counts.map(
          (row, r) =>
            html`<tr>
              <th scope="row">${names[r]}</th>
              ${row.map((count, c) => cell(count, r, c))}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
