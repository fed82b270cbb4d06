export { describeBlindSpot, type BlindSpot } from './blind-spot';
export { findBlindSpots } from './find';
export type { Asked } from './weakness';
