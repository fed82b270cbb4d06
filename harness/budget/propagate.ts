import type { TensorName } from '../base/problem';
import type { ErrorRules, HeadErrors } from './error-rules';
import { addProductTransposed, type Matrix } from './matrix';
import { joinTimeSteps, select, timeSlice, type Trace } from './trace';

/** One error per element, for every tensor of a full answer. */
export type ErrorMap = Partial<Record<TensorName, Matrix>>;

/** Errors of the intermediate values too: what later parts of the judge look at. */
export interface Propagated {
  readonly tensors: ErrorMap;
  /** error of h_t [B, U], t = 0..T */ readonly states: readonly Matrix[];
  /** error of dz_t [B, U], at index t - 1 */ readonly dPreActivations?: readonly Matrix[];
}

/** Sends errors through the whole computation, forward and backward, by the given rules. */
export function propagate(trace: Trace, rules: ErrorRules): Propagated {
  const { sizes, steps, states, head } = trace;
  const { batch, timeSteps, units } = sizes;
  const stateErrors: Matrix[] = [new Float64Array(batch * units)];
  const activationErrors: Matrix[] = [];
  steps.forEach((step, t) => {
    activationErrors.push(rules.activation(step, stateErrors[t]));
    stateErrors.push(select(step.live, activationErrors[t], rules.sum(states[t], stateErrors[t], [])));
  });
  const tensors: ErrorMap = {
    states: joinTimeSteps(stateErrors.slice(1), batch),
    finalState: stateErrors[timeSteps],
  };
  let headErrors: HeadErrors | undefined;
  if (head !== undefined) {
    tensors.logits = rules.logits(states[timeSteps], stateErrors[timeSteps], head.logits);
    headErrors = rules.head(head, tensors.logits);
    tensors.probabilities = headErrors.probabilities;
    if (headErrors.loss !== undefined) tensors.loss = Float64Array.of(headErrors.loss);
  }
  const { dStates, dPreActivations } = trace;
  if (dStates === undefined || dPreActivations === undefined) return { tensors, states: stateErrors };
  const dPreActivationErrors = backward(trace, rules, headErrors, stateErrors, activationErrors, tensors);
  return { tensors, states: stateErrors, dPreActivations: dPreActivationErrors };
}

function backward(
  trace: Trace,
  rules: ErrorRules,
  headErrors: HeadErrors | undefined,
  stateErrors: readonly Matrix[],
  activationErrors: readonly Matrix[],
  tensors: ErrorMap,
): Matrix[] {
  const { sizes, steps, states, head, problem, evaluation } = trace;
  const { batch, timeSteps, features, units, classes } = sizes;
  const dStates = trace.dStates ?? [];
  const dPreActivations = trace.dPreActivations ?? [];
  const gradients = evaluation.gradients ?? {};
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
      stateErrors[timeSteps],
      dLogits,
      headErrors.dLogits,
      batch,
    );
    const outputBias = new Float64Array(classes);
    rules.addRows(outputBias, dLogits, headErrors.dLogits, batch);
    tensors['gradients.outputKernel'] = rules.finish(outputKernel, dataOf(gradients.outputKernel), batch);
    tensors['gradients.outputBias'] = rules.finish(outputBias, dataOf(gradients.outputBias), batch);
    const fromHead = trace.fromHead ?? nothing;
    dStateError = rules.backThrough('outputKernel', dLogits, headErrors.dLogits, fromHead, last);
  } else dStateError = rules.sum(nothing, nothing, last);

  const terms = batch * timeSteps;
  const kernel = new Float64Array(features * units);
  const recurrentKernel = new Float64Array(units * units);
  const bias = new Float64Array(units);
  const inputs: Matrix[] = [];
  const dPreActivationErrors: Matrix[] = [];
  for (let t = timeSteps - 1; t >= 0; t--) {
    const step = steps[t];
    const dz = dPreActivations[t];
    const dzError = select(
      step.live,
      rules.preActivation(step, activationErrors[t], dStates[t], dStateError),
      nothing,
    );
    dPreActivationErrors[t] = dzError;
    rules.addOuter(kernel, step.x, undefined, dz, dzError, terms);
    rules.addOuter(recurrentKernel, step.h, t === 0 ? undefined : stateErrors[t], dz, dzError, terms);
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
  tensors['gradients.inputs'] = joinTimeSteps(inputs, batch);
  tensors['gradients.initialState'] = dStateError;
  tensors['gradients.kernel'] = rules.finish(kernel, dataOf(gradients.kernel), terms);
  tensors['gradients.recurrentKernel'] = rules.finish(
    recurrentKernel,
    dataOf(gradients.recurrentKernel),
    terms,
  );
  tensors['gradients.bias'] = rules.finish(bias, dataOf(gradients.bias), terms);
  return dPreActivationErrors;
}

function dataOf(tensor: { readonly data: Matrix } | undefined): Matrix {
  return tensor?.data ?? new Float64Array(0);
}
