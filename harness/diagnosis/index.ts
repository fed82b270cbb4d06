export type { Diagnosis, Kind, Phase, WrongNumber } from './diagnosis';
