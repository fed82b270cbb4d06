export { askedForward, faultIn, formula, gradients, runsOf, type GradientName, type Way } from './faulty';
export { truncated } from './steps';
export { equivalents } from './equivalents';
export { catalogue, faultsOfStep } from './catalogue';
export { plant } from './plant';
export { canShow, changeBy, replay, rightAnswer } from './replay';
export { toFloat16 } from './equations/index';
export { atStep, stepFaultNames, type StepFault } from './single-step';
export { families, type Equivalent, type Fault } from './fault';
export {
  arraysOf,
  canShowUpdate,
  customaryEpsilons,
  each,
  firstWrong,
  gradientsOf,
  HandOptimizer,
  isSame,
  otherEpsilonInWords,
  plantUpdate,
  updateEquivalents,
  updateFaults,
  type Numbers,
  type OptimizerClass,
  type Trainee,
  type UpdateQuestion,
  type UpdateFault,
} from './updates/index';
export { mapTensor, weightOff } from './weights';
export { heldOut, heldOutUpdates } from './held-out';
