import type { ClassifierGradients } from '../../scratch/index';
import type { TensorName } from '../base/problem';
import type { ErrorRules, HeadErrors } from './error-rules';
import { addProductTransposed, type Matrix } from './matrix';
import { joinTimeSteps, select, timeSlice, type Trace } from './trace';

/** One error per element, for every tensor of a full answer. */
export type ErrorMap = Partial<Record<TensorName | 'dPreActivations', Matrix>>;

/** Errors of the intermediate values too: what later parts of the judge look at. */
export interface Propagated {
  readonly tensors: ErrorMap;
  /** error of h_t [B, U], t = 0..T */ readonly states: readonly Matrix[];
}

/**
 * Sends errors through the whole computation, forward and backward, by the given rules. A value that is observed is the side's own, so it
 * has no error in the next equation.
 */
export function propagate(trace: Trace, rules: ErrorRules): Propagated {
  const { sizes, observed, steps, states, head } = trace;
  const { batch, timeSteps, units } = sizes;
  const none = new Float64Array(batch * units);
  const stateErrors: Matrix[] = [none];
  const activationErrors: Matrix[] = [];
  const computed = steps.map((step, t) => {
    const activation = rules.activation(step, stateErrors[t]);
    const error = select(step.live, activation, rules.sum(states[t], stateErrors[t], []));
    activationErrors.push(observed === undefined ? activation : rules.ownActivation(states[t + 1]));
    stateErrors.push(observed === undefined ? error : none);
    return error;
  });
  const tensors: ErrorMap = {
    states: joinTimeSteps(computed, batch),
    finalState: observed === undefined ? stateErrors[timeSteps] : rules.sum(states[timeSteps], none, []),
  };
  let headErrors: HeadErrors | undefined;
  if (head !== undefined) {
    const logits = dataOf(trace.evaluation.logits);
    tensors.logits = rules.logits(states[timeSteps], stateErrors[timeSteps], logits);
    headErrors = rules.head(
      head,
      observed?.logits === undefined ? tensors.logits : new Float64Array(logits.length),
    );
    tensors.probabilities = headErrors.probabilities;
    if (headErrors.loss !== undefined) tensors.loss = Float64Array.of(headErrors.loss);
  }
  backward(trace, rules, headErrors, stateErrors, activationErrors, tensors);
  return { tensors, states: stateErrors };
}

function backward(
  trace: Trace,
  rules: ErrorRules,
  headErrors: HeadErrors | undefined,
  stateErrors: readonly Matrix[],
  activationErrors: readonly Matrix[],
  tensors: ErrorMap,
): void {
  const { sizes, observed, steps, states, head, problem, evaluation } = trace;
  const { batch, timeSteps, features, units, classes } = sizes;
  const gradients = evaluation.gradients ?? {};
  const shown = (name: keyof ClassifierGradients, error: Matrix): void => {
    tensors[`gradients.${name}`] = rules.shown(dataOf(gradients[name]), error);
  };
  const closed = (name: keyof ClassifierGradients, error: Matrix, terms: number): void => {
    shown(name, rules.finish(error, dataOf(gradients[name]), terms));
  };
  const arrivals = (t: number): Matrix[] =>
    problem.upstream?.states === undefined ? [] : [timeSlice(problem.upstream.states, t)];
  const last = arrivals(timeSteps - 1);
  if (problem.upstream?.finalState !== undefined) last.push(problem.upstream.finalState.data);

  const nothing = new Float64Array(batch * units);
  let dStateError: Matrix;
  if (head?.residual !== undefined && headErrors?.dLogits !== undefined) {
    const dLogits = head.residual.map((r) => r / batch);
    const outputKernel = new Float64Array(units * classes);
    rules.addOuter(
      outputKernel,
      states[timeSteps],
      observed === undefined ? stateErrors[timeSteps] : undefined,
      dLogits,
      headErrors.dLogits,
      batch,
    );
    const outputBias = new Float64Array(classes);
    rules.addRows(outputBias, dLogits, headErrors.dLogits, batch);
    closed('outputKernel', outputKernel, batch);
    closed('outputBias', outputBias, batch);
    const fromHead = trace.fromHead ?? nothing;
    dStateError = rules.backThrough('outputKernel', dLogits, headErrors.dLogits, fromHead, last);
  } else dStateError = rules.sum(nothing, nothing, last);

  const { dStates, dPreActivations, slopes } = trace;
  if (dStates === undefined || dPreActivations === undefined || slopes === undefined) return;
  const terms = batch * timeSteps;
  const kernel = new Float64Array(features * units);
  const recurrentKernel = new Float64Array(units * units);
  const bias = new Float64Array(units);
  const inputs: Matrix[] = [];
  const shownErrors: Matrix[] = [];
  for (let t = timeSteps - 1; t >= 0; t--) {
    const step = steps[t];
    const dz = dPreActivations[t];
    let dzError = select(
      step.live,
      rules.preActivation(slopes[t], activationErrors[t], dStates[t], dStateError),
      observed === undefined ? nothing : rules.sum(nothing, nothing, []),
    );
    if (observed !== undefined) {
      shownErrors[t] = dzError;
      dzError = rules.shown(dz, nothing);
    }
    rules.addOuter(kernel, step.x, undefined, dz, dzError, terms);
    rules.addOuter(
      recurrentKernel,
      step.h,
      t === 0 || observed !== undefined ? undefined : stateErrors[t],
      dz,
      dzError,
      terms,
    );
    rules.addRows(bias, dz, dzError, terms);
    const dInput = new Float64Array(batch * features);
    addProductTransposed(dInput, dz, problem.weights.kernel.data, batch, units, features);
    inputs[t] = rules.backThrough('kernel', dz, dzError, dInput, []);
    const product = new Float64Array(batch * units);
    addProductTransposed(product, dz, problem.weights.recurrentKernel.data, batch, units, units);
    const more = t === 0 ? [] : arrivals(t - 1);
    dStateError = select(
      step.live,
      rules.backThrough('recurrentKernel', dz, dzError, product, more),
      rules.sum(dStates[t], dStateError, more),
    );
  }
  if (trace.computed !== undefined && observed !== undefined)
    tensors.dPreActivations = rules.shown(trace.computed, joinTimeSteps(shownErrors, batch));
  shown('inputs', joinTimeSteps(inputs, batch));
  shown('initialState', dStateError);
  closed('kernel', kernel, terms);
  closed('recurrentKernel', recurrentKernel, terms);
  closed('bias', bias, terms);
}

function dataOf(tensor: { readonly data: Matrix } | undefined): Matrix {
  return tensor?.data ?? new Float64Array(0);
}
