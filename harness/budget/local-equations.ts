import { makeTensor, zeros, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { AxisName, Evaluation, Problem } from '../base/problem';
import { floorOf } from './budget';
import type { ErrorRules } from './error-rules';
import {
  addProduct,
  addProductTransposed,
  addRows,
  addTransposedProduct,
  largest,
  type Matrix,
} from './matrix';
import type { PrecisionModel } from './precision-model';
import { rigorousRules } from './rigorous-rules';
import { forwardStep, headValues, joinTimeSteps, select, sizesOf, timeSlice } from './trace';
import { varianceRules } from './variance-rules';

/**
 * The same problem with one more feature per unit: the new inputs are zero and the new rows of the kernel are the identity.
 * The forward pass does not change, and gradients.inputs of the new features are the gradient with respect to z_t, since
 * dL/dx_t = dz_t kernel^T then holds dz_t itself (only products with 0 and 1 are added). So an opaque implementation shows
 * its inner gradients through its public door.
 */
export const instrumentedProblem = memoize(instrument);

function instrument(problem: Problem): Problem {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  const inputs = zeros(batch, timeSteps, features + units);
  for (let row = 0; row < batch * timeSteps; row++)
    inputs.data.set(
      problem.inputs.data.subarray(row * features, (row + 1) * features),
      row * (features + units),
    );
  const kernel = zeros(features + units, units);
  kernel.data.set(problem.weights.kernel.data);
  for (let j = 0; j < units; j++) kernel.data[(features + j) * units + j] = 1;
  return { ...problem, inputs, weights: { ...problem.weights, kernel } };
}

/** One kind of equation, for all its elements: what it should give from the side's own earlier values, and what it gave. */
export interface LocalEquation {
  /** `states`, `dPreActivations`, `gradients.kernel`, ... */ readonly name: string;
  /** the equation in words and letters */ readonly formula: string;
  readonly axes: readonly AxisName[];
  /** computed in float64 from the side's own values */ readonly expected: Tensor;
  readonly given: Tensor;
  /** largest possible |error| */ readonly bound: Matrix;
  /** standard deviation of the error */ readonly sigma: Matrix;
}

/** Value and errors of one quantity under both rules. */
interface Estimate {
  readonly value: Matrix;
  readonly bound: Matrix;
  readonly variance: Matrix;
}

/**
 * Tests every equation of the network by itself, one time step at a time, from the side's own values before it (Oettli & Prager
 * 1964: small residuals mean that the side computes the right function of slightly changed numbers). No error accumulates,
 * so this settles problems that are too ill-conditioned for a comparison of results.
 *
 * @param problem the plain problem
 * @param answer of the side to `instrumentedProblem(problem)`, or to `problem` itself where there is no backward pass
 */
export function localEquations(problem: Problem, answer: Evaluation, model: PrecisionModel): LocalEquation[] {
  const sizes = sizesOf(problem);
  const { batch, timeSteps, features, units, classes } = sizes;
  const { weights, upstream } = problem;
  const instrumented = answer.gradients?.inputs;
  const dz =
    instrumented?.shape[2] === features + units
      ? sliceLast(instrumented, features, features + units)
      : undefined;
  const reach = dz === undefined ? 0 : largest(dz.data) * (1 + units * largest(weights.recurrentKernel.data));
  const floor = floorOf(problem, model, [Float64Array.of(Number.isFinite(reach) ? reach : 0)]);
  const rigorous = rigorousRules(weights, sizes, model, floor);
  const variance = varianceRules(weights, sizes, model, floor);
  const both = (
    value: Matrix,
    error: (rules: ErrorRules, which: 'bound' | 'variance') => Matrix,
  ): Estimate => ({
    value,
    bound: error(rigorous, 'bound'),
    variance: error(variance, 'variance'),
  });
  const equations: LocalEquation[] = [];
  const check = (
    name: string,
    formula: string,
    axes: readonly AxisName[],
    given: Tensor | undefined,
    estimate: Estimate,
  ): void => {
    if (given?.data.length !== estimate.value.length) return;
    equations.push({
      name,
      formula,
      axes,
      given,
      expected: makeTensor(estimate.value, given.shape),
      bound: estimate.bound.map((e) => e * model.sides),
      sigma: estimate.variance.map((v) => Math.sqrt(v * model.sides) + floor),
    });
  };
  const { states } = answer;
  if (states === undefined) return [];
  const none = new Float64Array(batch * units);

  // h_t = tanh(x_t kernel + h_{t-1} recurrentKernel + bias)
  const own: Matrix[] = [problem.initialState?.data ?? none];
  for (let t = 0; t < timeSteps; t++) own.push(timeSlice(states, t));
  const steps = Array.from({ length: timeSteps }, (_, t) => forwardStep(problem, t, own[t]));
  const perStep = steps.map((step, t) =>
    both(select(step.live, step.activation, own[t]), (rules) =>
      select(step.live, rules.activation(step, none), rules.sum(own[t], none, [])),
    ),
  );
  check(
    'states',
    'h_t = tanh(x_t kernel + h_(t-1) recurrentKernel + bias)',
    ['example', 'timeStep', 'unit'],
    states,
    joined(perStep, batch),
  );
  const last = own[timeSteps];
  check(
    'finalState',
    'finalState = h_T',
    ['example', 'unit'],
    answer.finalState,
    both(last, (rules) => rules.sum(last, none, [])),
  );

  // y = h_T outputKernel + outputBias; softmax and cross-entropy from the side's own y
  let dState: Estimate = both(none, () => none);
  const arrivals = (t: number): Matrix[] => [
    ...(upstream?.states === undefined ? [] : [timeSlice(upstream.states, t)]),
    ...(t === timeSteps - 1 && upstream?.finalState !== undefined ? [upstream.finalState.data] : []),
  ];
  const { outputKernel, outputBias } = weights;
  let fromHead = false;
  if (outputKernel !== undefined && outputBias !== undefined) {
    const y = Float64Array.from({ length: batch * classes }, (_, i) => outputBias.data[i % classes]);
    addProduct(y, last, outputKernel.data, batch, units, classes);
    const computed = both(y, (rules) => rules.logits(last, none, y));
    check('logits', 'y = h_T outputKernel + outputBias', ['example', 'class'], answer.logits, computed);
    // a side that does not give its logits is held to those that its final state makes, with their rounding
    const exact = new Float64Array(batch * classes);
    const logits =
      answer.logits === undefined ? computed : { value: answer.logits.data, bound: exact, variance: exact };
    const head = headValues(logits.value, classes, problem.labels);
    const errors = {
      bound: rigorous.head(head, logits.bound),
      variance: variance.head(head, logits.variance),
    };
    check(
      'probabilities',
      'p = softmax(y)',
      ['example', 'class'],
      answer.probabilities,
      both(head.probabilities, (_, which) => errors[which].probabilities),
    );
    if (head.loss !== undefined && head.residual !== undefined) {
      check(
        'loss',
        'loss = -mean log p_label',
        [],
        answer.loss,
        both(Float64Array.of(head.loss), (_, which) => Float64Array.of(errors[which].loss ?? 0)),
      );
      const dy = head.residual.map((r) => r / batch);
      const dyError = (which: 'bound' | 'variance'): Matrix => errors[which].dLogits ?? exact;
      const dOutputKernel = new Float64Array(units * classes);
      addTransposedProduct(dOutputKernel, last, dy, batch, units, classes);
      check(
        'gradients.outputKernel',
        'h_T^T dy, dy = (p - onehot) / B',
        ['fromUnit', 'class'],
        answer.gradients?.outputKernel,
        both(dOutputKernel, (rules, which) => {
          const out = new Float64Array(units * classes);
          rules.addOuter(out, last, undefined, dy, dyError(which), batch);
          return rules.finish(out, dOutputKernel, batch);
        }),
      );
      const dOutputBias = addRows(new Float64Array(classes), dy, batch, classes);
      check(
        'gradients.outputBias',
        'sum of dy over the batch',
        ['class'],
        answer.gradients?.outputBias,
        both(dOutputBias, (rules, which) => {
          const out = new Float64Array(classes);
          rules.addRows(out, dy, dyError(which), batch);
          return rules.finish(out, dOutputBias, batch);
        }),
      );
      const product = addProductTransposed(none.slice(), dy, outputKernel.data, batch, classes, units);
      const more = arrivals(timeSteps - 1);
      dState = both(total(product, more), (rules, which) =>
        rules.backThrough('outputKernel', dy, dyError(which), product, more),
      );
      fromHead = true;
    }
  }
  if (dz === undefined) return equations;
  if (!fromHead) {
    const more = arrivals(timeSteps - 1);
    dState = both(total(none, more), (rules) => rules.sum(none, none, more));
  }

  // dz_t = dh_t (1 - h_t^2), dh_(t-1) = dz_t recurrentKernel^T + upstream_(t-1), from the side's own dz_t
  const ownGradients = Array.from({ length: timeSteps }, (_, t) => timeSlice(dz, t));
  const dPreActivations: Estimate[] = [];
  const dInputs: Estimate[] = [];
  for (let t = timeSteps - 1; t >= 0; t--) {
    const h = own[t + 1];
    const step = { ...steps[t], activation: h, slope: h.map((x) => (1 - x) * (1 + x)) };
    const arriving = dState;
    dPreActivations[t] = both(
      select(
        step.live,
        arriving.value.map((d, i) => d * step.slope[i]),
        none,
      ),
      (rules, which) =>
        select(
          step.live,
          rules.preActivation(step, none, arriving.value, arriving[which]),
          none.map(() => (which === 'bound' ? floor : floor * floor)),
        ),
    );
    const g = ownGradients[t];
    const dx = addProductTransposed(
      new Float64Array(batch * features),
      g,
      weights.kernel.data,
      batch,
      units,
      features,
    );
    dInputs[t] = both(dx, (rules) => rules.backThrough('kernel', g, none, dx, []));
    const product = addProductTransposed(none.slice(), g, weights.recurrentKernel.data, batch, units, units);
    const more = t === 0 ? [] : arrivals(t - 1);
    dState = both(select(step.live, total(product, more), total(arriving.value, more)), (rules, which) =>
      select(
        step.live,
        rules.backThrough('recurrentKernel', g, none, product, more),
        rules.sum(arriving.value, arriving[which], more),
      ),
    );
  }
  check(
    'dPreActivations',
    'dz_t = dh_t (1 - h_t^2), dh_t = dz_(t+1) recurrentKernel^T + upstream',
    ['example', 'timeStep', 'unit'],
    dz,
    joined(dPreActivations, batch),
  );
  check(
    'gradients.inputs',
    'dx_t = dz_t kernel^T',
    ['example', 'timeStep', 'feature'],
    sliceLast(answer.gradients?.inputs, 0, features),
    joined(dInputs, batch),
  );
  check(
    'gradients.initialState',
    'dh_0 = dz_1 recurrentKernel^T',
    ['example', 'unit'],
    answer.gradients?.initialState,
    dState,
  );
  const terms = batch * timeSteps;
  const sum = (
    name: string,
    formula: string,
    axes: readonly AxisName[],
    given: Tensor | undefined,
    left: ((t: number) => Matrix) | undefined,
    rows: number,
  ): void => {
    const value = new Float64Array(rows * units);
    ownGradients.forEach((g, t) => {
      if (left === undefined) addRows(value, g, batch, units);
      else addTransposedProduct(value, left(t), g, batch, rows, units);
    });
    check(
      name,
      formula,
      axes,
      given,
      both(value, (rules) => {
        const out = new Float64Array(rows * units);
        ownGradients.forEach((g, t) => {
          if (left === undefined) rules.addRows(out, g, none, terms);
          else rules.addOuter(out, left(t), undefined, g, none, terms);
        });
        return rules.finish(out, value, terms);
      }),
    );
  };
  const { gradients } = answer;
  sum(
    'gradients.kernel',
    'sum over t of x_t^T dz_t',
    ['feature', 'unit'],
    firstRows(gradients?.kernel, features),
    (t) => steps[t].x,
    features,
  );
  sum(
    'gradients.recurrentKernel',
    'sum over t of h_(t-1)^T dz_t',
    ['fromUnit', 'unit'],
    gradients?.recurrentKernel,
    (t) => own[t],
    units,
  );
  sum('gradients.bias', 'sum over t and the batch of dz_t', ['unit'], gradients?.bias, undefined, 1);
  return equations;
}

function joined(steps: readonly Estimate[], batch: number): Estimate {
  const join = (of: (estimate: Estimate) => Matrix): Matrix => joinTimeSteps(steps.map(of), batch);
  return { value: join((e) => e.value), bound: join((e) => e.bound), variance: join((e) => e.variance) };
}

function total(first: Matrix, more: readonly Matrix[]): Matrix {
  return first.map((x, i) => more.reduce((sum, term) => sum + term[i], x));
}

function sliceLast(tensor: Tensor, from: number, to: number): Tensor;
function sliceLast(tensor: Tensor | undefined, from: number, to: number): Tensor | undefined;
function sliceLast(tensor: Tensor | undefined, from: number, to: number): Tensor | undefined {
  if (tensor === undefined) return undefined;
  const [batch, timeSteps, n] = tensor.shape;
  const width = to - from;
  const out = zeros(batch, timeSteps, width);
  for (let row = 0; row < batch * timeSteps; row++)
    out.data.set(tensor.data.subarray(row * n + from, row * n + to), row * width);
  return out;
}

function firstRows(tensor: Tensor | undefined, rows: number): Tensor | undefined {
  if (tensor === undefined) return undefined;
  const columns = tensor.shape[1];
  return { data: tensor.data.subarray(0, rows * columns), shape: [rows, columns] };
}
