export { checkLoop, chooseLoop, longestUnrolled, walkFor, type Loop } from './loop-choice';
export type { Sizes, WalkThroughTime } from './walk';
