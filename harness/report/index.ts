export { figure, lineChart, matrix, seriesColor } from './chart';
export type { FigureOptions, LegendItem, LineChartOptions, MatrixOptions, Series } from './chart';
export { Html, html, raw, type HtmlPart } from './html';
export { greyImage } from './image';
export { page, table } from './page';
export type { Fact, PageOptions, Section, TableOptions } from './page';
export { shareTable, type Share, type ShareTableOptions } from './share-table';
