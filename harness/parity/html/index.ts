export { ChartData, type SideCharts, type SideHeat, type UlpHistogram } from './chart-data';
export { heatMap, type HeatCell, type HeatMap } from './heat-map';
export { pageTitle, parityPage, type PageData } from './page';
