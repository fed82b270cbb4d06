import {
  lineChart,
  percent,
  seriesColor,
  short,
  type Figure,
  type LegendItem,
  type Series,
} from '../../reports/index';
import { placeOf, ranIn, type ParityReport } from '../report';
import { isFailing } from '../../judge/index';
import type { SideCharts, UlpHistogram } from './chart-data';
import type { HeatCell, HeatMap } from './heat-map';

const mostTicks = 12;

/** Time steps to the right, units downwards; blue within the budget, darker the more of it was used, orange beyond it. */
export function heatFigure(map: HeatMap): Figure {
  const cells = map.cells.map((cell) => ({
    step: cell.step[0],
    row: cell.row[0],
    within: cell.share <= 1,
    opacity: opacityOf(cell.share),
    title: inWords(cell, map.rowAxis),
  }));
  const worst = map.cells.reduce((max, { share }) => Math.max(max, share), 0);
  const steps = [...new Set(cells.map(({ step }) => step))];
  const rows = [...new Set(cells.map(({ row }) => row))];
  const size = Math.min(22, Math.max(9, 400 / rows.length));
  return {
    kind: 'figure',
    title: map.title,
    caption: `largest used share: ${percent(worst)}`,
    legend: [
      { name: 'within the budget', color: seriesColor(0) },
      { name: 'beyond it', color: seriesColor(1) },
    ],
    plot: (plot) => ({
      width: 480,
      height: 76 + rows.length * size,
      marginLeft: 44,
      marginTop: 12,
      x: { label: 'time step', labelOffset: 38, ticks: thinned(steps), padding: 0.06, domain: steps },
      y: { label: map.rowAxis, ticks: thinned(rows), padding: 0.06, domain: rows },
      opacity: { type: 'identity' },
      marks: [
        // a picture's border says nothing to a reader of the screen
        plot.frame({ stroke: 'currentColor', strokeOpacity: 0.25, ariaHidden: 'true' }),
        ...[true, false].map((within) =>
          plot.cell(
            cells.filter((cell) => cell.within === within),
            {
              x: 'step',
              y: 'row',
              fill: seriesColor(within ? 0 : 1),
              fillOpacity: 'opacity',
              title: 'title',
            },
          ),
        ),
      ],
    }),
  };
}

function opacityOf(share: number): number {
  if (share <= 1) return 0.04 + 0.8 * share;
  return Math.min(1, 0.5 + Math.log10(Math.min(share, 1e9)) / 16);
}

function inWords({ step, row, share }: HeatCell, rowAxis: string): string {
  const range = ([first, last]: readonly [number, number]): string =>
    first === last ? String(first) : `${first}-${last}`;
  return `time step ${range(step)}, ${rowAxis} ${range(row)}: ${percent(share)} of the budget`;
}

function thinned(values: readonly number[]): number[] {
  const every = Math.ceil(values.length / mostTicks);
  return values.filter((_, i) => i % every === 0);
}

/** Fifths of a decade: what falls together is one dot, larger the more there are. */
const perDecade = 5;
const mostFailing = 400;

/** The worst element of every tensor: its error over its budget, both logarithmic; above the line it fails. */
export function budgetScatter(report: ParityReport): Figure {
  const sides = ranIn(report);
  const dots = new Map<string, { x: number; y: number; side: string; n: number }>();
  const failing: { x: number; y: number; side: string; title: string }[] = [];
  let [equal, unmeasured] = [0, 0];
  for (const tensor of report.cases.flatMap(({ tensors }) => tensors)) {
    const { worst, implementation: side } = tensor;
    if (worst === undefined) continue;
    const { error: y, allowed: x } = worst;
    if (y === 0) equal++;
    else if (!(x > 0 && y > 0 && Number.isFinite(x) && Number.isFinite(y))) unmeasured++;
    else if (isFailing(tensor))
      failing.push({ x, y, side, title: `${placeOf(tensor)}: ${tensor.tensor}, ${short(y)} of ${short(x)}` });
    else {
      const [bx, by] = [x, y].map((value) => Math.round(Math.log10(value) * perDecade) / perDecade);
      const key = `${side} ${bx} ${by}`;
      const dot = dots.get(key) ?? { x: 10 ** bx, y: 10 ** by, side, n: 0 };
      dot.n++;
      dots.set(key, dot);
    }
  }
  const failingLeft = failing.splice(mostFailing).length;
  const [low, high] = rangeOf([...dots.values()], failing);
  const drawn = [...dots.values()].filter(({ x, y }) => Math.min(x, y) >= low);
  const below = [...dots.values()].reduce((sum, dot) => sum + (drawn.includes(dot) ? 0 : dot.n), 0);
  const decades = Math.log10(high / low);
  const legend = sides.map((name, i): LegendItem => ({ name, color: seriesColor(i) }));
  const left = [
    ...(equal > 0 ? [`${equal.toLocaleString('en')} tensors are equal to the last bit`] : []),
    ...(below > 0 ? [`${below.toLocaleString('en')} lie below ${short(low)}`] : []),
    ...(unmeasured > 0 ? [`${unmeasured} have no finite error or budget`] : []),
    ...(failingLeft > 0 ? [`${failingLeft} more fail`] : []),
  ];
  return {
    kind: 'figure',
    title: 'Worst error of every tensor against its budget',
    caption: `One dot gathers a fifth of a decade, larger for more tensors; crosses fail. Above the line the error is larger than the budget.${left.length > 0 ? ` Not drawn: ${left.join(', ')}.` : ''}`,
    legend,
    plot: (plot) => ({
      width: 900,
      height: 460,
      marginLeft: 64,
      x: {
        type: 'log',
        label: 'budget',
        labelOffset: 38,
        domain: [low, high],
        tickFormat: '.0e',
        ticks: Math.min(8, Math.max(2, decades)),
      },
      y: {
        type: 'log',
        label: 'error',
        grid: true,
        domain: [low, high],
        tickFormat: '.0e',
        ticks: Math.min(8, Math.max(2, decades)),
      },
      r: { type: 'sqrt', range: [0, 9] },
      marks: [
        plot.line([low, high], {
          x: (v: number) => v,
          y: (v: number) => v,
          stroke: 'currentColor',
          strokeDasharray: '5 4',
        }),
        ...sides.flatMap((side, i) => [
          plot.dot(
            drawn.filter((dot) => dot.side === side),
            {
              x: 'x',
              y: 'y',
              r: 'n',
              fill: seriesColor(i),
              fillOpacity: 0.45,
              title: ({ n }: { n: number }) => `${side}: ${n}`,
            },
          ),
          plot.dot(
            failing.filter((dot) => dot.side === side),
            {
              x: 'x',
              y: 'y',
              r: 4,
              symbol: 'times',
              stroke: seriesColor(i),
              strokeWidth: 1.5,
              title: 'title',
            },
          ),
        ]),
      ],
    }),
  };
}

/** All failing dots, and all but the lowest hundredth of the rest: a few vanishing gradients would squeeze everything else into a corner. */
function rangeOf(
  dots: readonly { readonly x: number; readonly y: number; readonly n: number }[],
  failing: readonly { readonly x: number; readonly y: number }[],
): [low: number, high: number] {
  if (dots.length + failing.length === 0) return [1e-9, 1e-6];
  const lowest = ({ x, y }: { readonly x: number; readonly y: number }): number => Math.min(x, y);
  const sorted = [...dots].sort((one, other) => lowest(one) - lowest(other));
  const most = sorted.reduce((sum, { n }) => sum + n, 0) / 100;
  let [skipped, first] = [0, 0];
  while (first < sorted.length && skipped + sorted[first].n <= most) skipped += sorted[first++].n;
  const kept = [...sorted.slice(first), ...failing];
  return [Math.min(...kept.map(lowest)) / 3, Math.max(...kept.map(({ x, y }) => Math.max(x, y))) * 3];
}

/** How many units in the last place lie between side and reference, as a share of all numbers. */
export function ulpFigure({ name, forward, backward }: SideCharts): Figure {
  const passes = { forward, backward };
  const totalOf = ({ bins, notNumbers }: UlpHistogram): number =>
    bins.reduce((sum, n) => sum + n, notNumbers);
  const series = Object.entries(passes).map(([pass, histogram], i): Series => {
    const points = histogram.bins.map((n, bin) => ({ x: bin, y: n / totalOf(histogram) }));
    return { name: pass, points, color: i, dashed: i > 0 };
  });
  const total = totalOf(forward) + totalOf(backward);
  const lost = forward.notNumbers + backward.notNumbers;
  const last = Math.max(4, forward.bins.length, backward.bins.length) - 1;
  const chart = lineChart({
    title: name,
    xLabel: 'units in the last place, by powers of two',
    yLabel: 'share of numbers',
    yScale: 'log',
    series: series.filter(({ points }) => points.length > 0),
  });
  return {
    ...chart,
    caption: `${total.toLocaleString('en')} numbers${lost > 0 ? `, ${lost} of them NaN` : ''}`,
    plot: (plot) => {
      const options = chart.plot(plot);
      const ticks = thinned(Array.from({ length: last + 1 }, (_, bin) => bin));
      const tickFormat = (bin: number): string =>
        bin === 0 ? '0' : bin <= 7 ? String(2 ** (bin - 1)) : `2^${bin - 1}`;
      return {
        ...options,
        width: 480,
        height: 260,
        x: { ...options.x, domain: [0, last], ticks, tickFormat },
      };
    },
  };
}
