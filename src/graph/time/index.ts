export { checkLoop, chooseLoop, longestUnrolled, walkFor, type Loop } from './loop-choice';
export { stepsOf, type Sizes, type WalkThroughTime } from './walk';
