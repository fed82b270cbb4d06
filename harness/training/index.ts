export { evaluatePart, formatMetrics, metricsOf, predictPart } from './metrics';
export type { ClassMetrics, Metrics, Predictions } from './metrics';
export type { Agreement, EpochRecord, SideEpoch } from './history';
export { resolveSettings } from './settings';
export type { DataSettings, TrainChoices, TrainSettings } from './settings';
export { train } from './train';
export type { TrainOptions, TrainResult } from './train';
