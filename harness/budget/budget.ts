import { memoize } from '../base/memoize';
import type { Problem, TensorName } from '../base/problem';
import { emulatedUnit } from './single-precision';
import { measureInflation, type Inflation } from './inflation';
import { largest, type Matrix } from './matrix';
import { precisionModels, withCustomaryForms, type PrecisionModel } from './precision-model';
import { propagate, type ErrorMap, type Propagated } from './propagate';
import { rigorousRules } from './rigorous-rules';
import { stagesOf, type Errors, type Spread } from './spread';
import { traceOf, type Trace } from './trace';
import { varianceRules } from './variance-rules';

/** What rounding can do to every element of an answer. */
export interface Budget {
  readonly model: PrecisionModel;
  readonly trace: Trace;
  /** largest possible |error| of each element */ readonly bound: ErrorMap;
  /** standard deviation of the error of each element */ readonly sigma: ErrorMap;
  /** false where errors are so large that their propagation is no longer linear: sigma then says nothing */
  readonly linear: boolean;
  /** true where a number of the run can exceed the largest single-precision number */
  readonly overflow: boolean;
  /** all of it that concerns one tensor */ spread(name: TensorName): Spread;
  /** what each element may be off: by the tightest stage, or by the widest with `inflated` (`stagesOf`) */
  allowed(name: TensorName, inflated: boolean): Matrix;
}

/**
 * The error budget of one problem for one way of rounding, computed along with a float64 run of the reference's mathematics;
 * no answer of either side enters it.
 *
 * @param problem with numbers that the judged side holds exactly (float32: see `roundProblem`)
 * @throws RangeError when a number of the problem is not exact in single precision but the model is
 */
export function budgetFor(problem: Problem, model: PrecisionModel): Budget {
  const known = budgets(problem);
  const budget = known.get(model) ?? makeBudget(problem, model);
  known.set(model, budget);
  return budget;
}

/** Made once: sides on the same kernels share them, and so do all that look at one answer. */
const budgets = memoize(() => new Map<PrecisionModel, Budget>());

function makeBudget(problem: Problem, model: PrecisionModel): Budget {
  if (model.precision === 'float32') checkExact(problem);
  const trace = traceOf(problem);
  const { bound, sigma, spread } = errorsOf(trace, model);
  const largestState = Math.sqrt(spread.states.reduce((max, v) => Math.max(max, largest(v)), 0));
  const largestLogit = Math.sqrt(largest(spread.tensors.logits));
  let inflations: Map<TensorName, Inflation> | undefined;
  const inflation = (name: TensorName): Inflation => {
    inflations ??=
      model.precision === 'float32'
        ? measureInflation(trace, mapErrors(spread.tensors, Math.sqrt), model)
        : measureInflation(trace, errorsOf(trace, shortDouble).sigma, shortDouble);
    return inflations.get(name) ?? { largest: 1, rms: 1, share: 1 };
  };
  const linear = largestState <= 1e-3 && largestLogit <= 0.05;
  const overflow = model.precision === 'float32' && !(largestValue(trace) < 2 ** 127);
  const spreadOf = (name: TensorName): Spread => {
    const [d, s] = [bound[name], sigma[name]];
    if (d === undefined || s === undefined)
      throw new Error(`budgetFor: problem ${problem.id} asks for no ${name}`);
    const otherForms = (): Errors | undefined => {
      const other = withCustomaryForms(model);
      return other && budgetFor(problem, other).spread(name);
    };
    return { bound: d, sigma: s, linear, overflow, otherForms, inflation: () => inflation(name) };
  };
  return {
    model,
    trace,
    bound,
    sigma,
    linear,
    overflow,
    spread: spreadOf,
    allowed: (name, inflated) => {
      const stages = stagesOf(spreadOf(name));
      const tightest = stages.next().value;
      const [widest] = inflated ? [...stages].slice(-1) : [tightest];
      return widest?.allowed ?? new Float64Array(0);
    },
  };
}

/** What rounding can do to every value of a run: the largest possible |error|, and the standard deviation of the error. */
export function errorsOf(
  trace: Trace,
  model: PrecisionModel,
): { readonly bound: ErrorMap; readonly sigma: ErrorMap; readonly spread: Propagated } {
  const floor = floorOf(trace, model);
  const { weights } = trace.problem;
  const rigorous = propagate(trace, rigorousRules(weights, trace.sizes, model, floor));
  const spread = propagate(trace, varianceRules(weights, trace.sizes, model, floor));
  return {
    bound: mapErrors(rigorous.tensors, (e) => e * model.sides),
    // the floor keeps sigma above zero where its square underflows
    sigma: mapErrors(spread.tensors, (v) => Math.sqrt(v * model.sides) + floor),
    spread,
  };
}

/** Doubles cut to 45 bits: the emulation that stands for double precision. */
export const shortDouble: PrecisionModel = {
  ...precisionModels.float64,
  unit: emulatedUnit.double45,
  sides: 1,
};

/**
 * eta = tiny (1 + max |x| + max |each weight| + max |h_0| + max |dh|, |dz| + upstream): what is lost where a product, or one of its
 * factors, is flushed to zero.
 */
function floorOf({ problem, dStates = [], dPreActivations = [] }: Trace, model: PrecisionModel): number {
  const { inputs, initialState, upstream, weights } = problem;
  let sum = 1 + largest(inputs.data) + largest(initialState?.data);
  for (const name of ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const)
    sum += largest(weights[name]?.data);
  sum += largest(upstream?.states?.data) + largest(upstream?.finalState?.data);
  const gradient = [...dStates, ...dPreActivations].reduce((max, g) => Math.max(max, largest(g)), 0);
  // a side may show gradients that are no numbers
  return model.tiny * (sum + (Number.isFinite(gradient) ? gradient : 0));
}

function largestValue(trace: Trace): number {
  let max = largest(trace.head?.logits);
  for (const step of trace.steps)
    max = Math.max(max, largest(step.z), largest(step.fromInput), largest(step.fromState));
  for (const d of trace.dStates ?? []) max = Math.max(max, largest(d));
  for (const gradient of Object.values(trace.evaluation.gradients ?? {}))
    max = Math.max(max, largest(gradient.data));
  return max;
}

function mapErrors(errors: ErrorMap, change: (e: number) => number): ErrorMap {
  const out: ErrorMap = {};
  for (const [name, e] of Object.entries(errors) as [TensorName, Matrix][]) out[name] = e.map(change);
  return out;
}

function checkExact(problem: Problem): void {
  const { inputs, initialState, upstream, weights } = problem;
  const named = {
    inputs,
    initialState,
    'upstream.states': upstream?.states,
    'upstream.finalState': upstream?.finalState,
    ...weights,
  };
  for (const [name, tensor] of Object.entries(named)) {
    const at = tensor?.data.findIndex((x) => Math.fround(x) !== x) ?? -1;
    if (at >= 0)
      throw new RangeError(
        `budgetFor: ${name} of problem ${problem.id} holds ${String(tensor?.data[at])}, which float32 can not hold; the rounding of the problem itself is no error of the answer, so judge the problem that roundProblem(problem) gives.`,
      );
  }
}
