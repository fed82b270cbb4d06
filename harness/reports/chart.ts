import type { Markish } from '@observablehq/plot';
import type { Figure } from './document';

/** Colours that change with light and dark; by position of a series. */
export function seriesColor(index: number): string {
  return `var(--series-${(index % 6) + 1})`;
}

/** The chart of a figure as SVG text, drawn by Observable Plot, without a browser or in a page. */
export async function svgOf({ title, plot: options }: Figure): Promise<string> {
  const plot = await import('@observablehq/plot');
  const document = await pageDocument();
  const svg: unknown = plot.plot({
    width: 620,
    height: 300,
    marginTop: 28,
    marginLeft: 60,
    marginBottom: 42,
    ...options(plot),
    document,
    style: {
      background: 'transparent',
      color: 'currentColor',
      fontSize: '12px',
      fontFamily: 'inherit',
    } as object,
    ariaLabel: title,
  });
  return (svg as { readonly outerHTML: string }).outerHTML;
}

/** A page's own document, or one without a browser. This project is compiled without the browser's types, which both libraries name. */
async function pageDocument(): Promise<never> {
  const { document } = globalThis as { readonly document?: unknown };
  if (document !== undefined) return document as never;
  const { parseHTML } = await import('linkedom');
  return (parseHTML('<!doctype html><body></body>') as unknown as { document: never }).document;
}

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** drawn broken, for what only accompanies */ readonly dashed?: boolean;
  /** which colour; default by position */ readonly color?: number;
}

export interface LineChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  readonly yScale?: 'linear' | 'log';
}

/** Lines over a common axis, one per series; on a logarithmic axis values that are not above 0 are left out. */
export function lineChart(options: LineChartOptions): Figure {
  const { series, xLabel, yLabel, yScale = 'linear' } = options;
  const drawn = series.map((one) => ({
    ...one,
    points: one.points.filter(({ y }) => Number.isFinite(y) && (yScale === 'linear' || y > 0)),
  }));
  const color = (one: Series, i: number): string => seriesColor(one.color ?? i);
  const whole = drawn.every(({ points }) => points.every(({ x }) => Number.isInteger(x)));
  const most = Math.max(1, ...drawn.map(({ points }) => points.length));
  return {
    kind: 'figure',
    title: options.title,
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
        nice: true,
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
  };
}
