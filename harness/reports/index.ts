export { figure, lineChart, matrix, seriesColor } from './chart';
export type { FigureOptions, LegendItem, LineChartOptions, MatrixOptions, Series } from './chart';
export { Html, html, raw, type HtmlPart } from './html';
export { greyImage } from './image';
export { page, table } from './page';
export type { Fact, PageOptions, Section, TableOptions } from './page';
export { shareTable, type Share, type ShareTableOptions } from './share-table';
export { count, quoted, stepsInWords, percent, short, indentedLine, oneLine, listed, clip } from './words';
export { fit, list, type Part } from './fit';
