export { generatedProblem, makeProblem, type ProblemRecipe } from './generated';
export { notebookProblem, notebookVectors } from './notebook';
export { fill, grow } from './grow';
export { firstExamples, firstSteps, keep, workOf } from './cut';
export { otherLayeredProblem, otherProblem, smallProblem } from './other-problem';
export type { GeneratedOptions } from './adversarial';
export { edgeProblems, extremeProblems, maskProblems } from './edges';
export { adversarialProblem } from './adversarial';
export {
  generatedLayered,
  layeredSuite,
  makeLayeredProblem,
  modelOfCell,
  modelOfLayers,
  type LayeredRecipe,
} from './layered';
export { adversarialLayered, isOfLayers, type LayeredNetworks, type Networks } from './adversarial-layered';
