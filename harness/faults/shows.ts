import { sizesOf, type Problem } from '../base/problem';

/** What a problem must have to show a fault: for `Fault.shows`. */
type Condition = (problem: Problem) => boolean;

export const all =
  (...conditions: readonly Condition[]): Condition =>
  (problem) =>
    conditions.every((condition) => condition(problem));

export const hasGradients: Condition = ({ labels, upstream }) =>
  labels !== undefined || upstream !== undefined;
export const hasLabels: Condition = ({ labels }) => labels !== undefined;
export const hasOutput: Condition = ({ weights }) => weights.outputKernel !== undefined;
export const hasInitialState: Condition = ({ initialState }) =>
  initialState?.data.some((x) => x !== 0) === true;
export const hasUpstreamStates: Condition = ({ upstream }) => upstream?.states !== undefined;
export const hasUpstreamFinalState: Condition = ({ upstream }) => upstream?.finalState !== undefined;
export const hasMaskedStep: Condition = ({ mask }) => mask?.data.some((m) => m === 0) === true;

export const moreThanOneStep: Condition = (problem) => sizesOf(problem).timeSteps > 1;
export const moreThanOneExample: Condition = (problem) => sizesOf(problem).batch > 1;
export const moreThanOneUnit: Condition = (problem) => sizesOf(problem).units > 1;
export const featuresAreUnits: Condition = (problem) => sizesOf(problem).features === sizesOf(problem).units;
export const unitsAreClasses: Condition = (problem) => sizesOf(problem).units === sizesOf(problem).classes;
