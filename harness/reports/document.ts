import type * as ObservablePlot from '@observablehq/plot';
import type { PlotOptions } from '@observablehq/plot';

/** What a reader gets of any command: the same in a terminal, in Markdown and as an HTML page. */
export interface Document {
  readonly title: string;
  /** one line below the title */ readonly subtitle?: string | Mark;
  /** the few numbers that a reader wants first */ readonly facts?: readonly Fact[];
  readonly sections: readonly Section[];
  /** last line, for example versions */ readonly footer?: string;
}

export interface Section {
  readonly title: string;
  /** one or two sentences below the title */ readonly intro?: string;
  readonly blocks: readonly Block[];
}

export type Tone = 'good' | 'bad';

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly tone?: Tone;
}

/** A text that is more than its letters on a page. */
export interface Mark {
  readonly text: string;
  /** in a terminal and in Markdown, where it says something else there */ readonly plain?: string;
  readonly tone?: Tone;
  /** a place on the same page: `#seed=1` */ readonly href?: `#${string}`;
  /** shown when it is pointed at */ readonly title?: string;
  /** background of a cell: hue and opacity from 0 to 1 */ readonly shade?: readonly [
    'heat' | 'miss',
    number,
  ];
}

/** Numbers stand at the right. */
export type Cell = string | number | Mark;
type Row = readonly Cell[];

export interface Table {
  readonly kind: 'table';
  readonly head?: readonly (string | Mark)[];
  readonly caption?: string;
  /** rows under a heading of their own, or without one */
  readonly groups: readonly { readonly title?: string; readonly rows: readonly Row[] }[];
  /** `grid`: many narrow columns and a row header, which keep their place on a small screen */
  readonly look?: 'grid';
}

/** A chart by Observable Plot. A terminal and Markdown leave it out, so that a table must hold its numbers. */
export interface Figure {
  readonly kind: 'figure';
  readonly title: string;
  /** what to see in it */ readonly caption?: string;
  readonly legend?: readonly LegendItem[];
  /**
   * Builds the chart; use `seriesColor` and `currentColor` so that it is readable in light and dark. Not in the package's typings: Plot's
   * name types of d3, which it does not install.
   *
   * @internal
   */
  readonly plot: (plot: typeof ObservablePlot) => PlotOptions;
}

export interface LegendItem {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
}

export type Block =
  | { readonly kind: 'heading' | 'code'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string; readonly tone?: Tone }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | Table
  | Figure
  /** side by side where there is room */
  | { readonly kind: 'row'; readonly blocks: readonly Block[] }
  /** details: closed on a page until they are asked for, left out in a terminal */
  | { readonly kind: 'fold'; readonly summary: string; readonly blocks: readonly Block[] }
  | { readonly kind: 'gallery'; readonly pictures: readonly Picture[] };

export interface Picture {
  /** data URI */ readonly source: string;
  readonly alt: string;
  readonly caption: string;
}

export const heading = (text: string): Block => ({ kind: 'heading', text });
export const code = (lines: readonly string[]): Block => ({ kind: 'code', text: lines.join('\n') });
export const paragraph = (text: string, tone?: Tone): Block => ({
  kind: 'paragraph',
  text,
  ...(tone && { tone }),
});
export const row = (...blocks: readonly Block[]): Block => ({ kind: 'row', blocks });
export const fold = (summary: string, ...blocks: readonly Block[]): Block => ({
  kind: 'fold',
  summary,
  blocks,
});

/** No block at all where there is nothing to list. */
export function bullets(items: readonly string[]): Block[] {
  return items.length === 0 ? [] : [{ kind: 'list', items }];
}

/** A section, unless it is empty. */
export function section(title: string, blocks: readonly Block[], intro?: string): Section[] {
  return blocks.length === 0 ? [] : [{ title, blocks, ...(intro !== undefined && { intro }) }];
}

export function table(rows: readonly Row[], more: Omit<Table, 'kind' | 'groups'> = {}): Table {
  return { kind: 'table', groups: [{ rows }], ...more };
}

/**
 * How many of how many, as a cell: per cent (rounded down, so that 100 means all) and a colour on a page, the count in a terminal.
 *
 * @param isMiss whether anything short of all is a miss, to be seen as one
 */
export function share(count: number, of: number, column: string, isMiss = false): Mark {
  const part = of === 0 ? 0 : count / of;
  const misses = isMiss && count < of;
  return {
    text: of === 0 || (count === 0 && !isMiss) ? '' : String(Math.floor(100 * part)),
    plain: String(count),
    title: `${column}: ${count} of ${of}`,
    shade: misses ? ['miss', 0.25 + 0.4 * (1 - part)] : ['heat', 0.5 * part],
  };
}

export interface MatrixOptions {
  readonly caption: string;
  readonly rowLabel: string;
  readonly columnLabel: string;
  readonly names: readonly (string | Mark)[];
  /** counts[row][column] */ readonly counts: readonly (readonly number[])[];
}

/** A square table of counts, shaded by their share of the row; off the diagonal in the colour of a miss. */
export function matrix({ caption, rowLabel, columnLabel, names, counts }: MatrixOptions): Table {
  const cell = (count: number, total: number, isRight: boolean): Mark => {
    const part = total === 0 ? 0 : count / total;
    const [text, plain] = [count === 0 ? '' : String(count), String(count)];
    return { text, plain, shade: isRight ? ['heat', 0.55 * part] : ['miss', Math.min(0.6, 6 * part)] };
  };
  const rows = counts.map((line, r) => {
    const total = line.reduce((sum, n) => sum + n, 0);
    return [names[r], ...line.map((count, c) => cell(count, total, r === c))];
  });
  return table(rows, { head: [`${rowLabel} \\ ${columnLabel}`, ...names], caption, look: 'grid' });
}
