export { lineChart, seriesColor, svgOf, type LineChartOptions, type Series } from './chart';
export {
  bullets,
  code,
  fold,
  heading,
  matrix,
  paragraph,
  row,
  section,
  share,
  table,
  type Block,
  type Cell,
  type Document,
  type Fact,
  type Figure,
  type LegendItem,
  type Mark,
  type Picture,
  type Section,
  type Table,
} from './document';
export { fit, list, type Part } from './fit';
export { blocksHtml, htmlOf } from './html';
export { style } from './style';
export { junitOf, type TestCase, type TestOutcome, type TestSuite } from './junit';
export { markdownOf } from './markdown';
export { blocksText, tableLines, textOf } from './text';
export {
  capped,
  clip,
  count,
  indentedLine,
  listed,
  oneLine,
  percent,
  quoted,
  short,
  stepsInWords,
  times,
  visible,
} from './words';
