import type { ClassifierGradients, Tensor } from '../../scratch/index';
import type { Evaluation, Problem } from '../base/problem';

/** How fast each number of the problem moves; what is absent stands still. */
export type Direction = Partial<Record<keyof ClassifierGradients, Float64Array>>;

/** A row of dual numbers a + b e with e^2 = 0: values and their derivatives (Clifford 1873; forward-mode differentiation). */
interface Dual {
  readonly value: Float64Array;
  readonly slope: Float64Array;
}

export interface DualRun {
  /** forward values only: states, finalState, logits, probabilities, loss */ readonly evaluation: Evaluation;
  /** derivative of (loss + upstream . states) along the direction; 0 where the problem asks for no gradient */
  readonly derivative: number;
}

/**
 * One float64 forward pass in dual numbers, example by example. No backward pass is involved, so no mistake of backpropagation
 * through time can hide here.
 *
 * @param direction the derivative is taken along this; a single 1 gives one entry of the gradient
 */
export function dualRun(problem: Problem, direction: Direction = {}): DualRun {
  const [batch, timeSteps, features] = problem.inputs.shape;
  const { weights, upstream, labels } = problem;
  const units = weights.bias.shape[0];
  const classes = weights.outputBias?.shape[0] ?? 0;
  const slopeOf = (name: keyof ClassifierGradients, i: number): number => direction[name]?.[i] ?? 0;
  const states = new Float64Array(batch * timeSteps * units);
  const finalState = new Float64Array(batch * units);
  const logits = new Float64Array(batch * classes);
  const probabilities = new Float64Array(batch * classes);
  let loss = 0;
  let derivative = 0;

  for (let b = 0; b < batch; b++) {
    let h = dual(units, (j) => [
      problem.initialState?.data[b * units + j] ?? 0,
      slopeOf('initialState', b * units + j),
    ]);
    for (let t = 0; t < timeSteps; t++) {
      if ((problem.mask?.data[b * timeSteps + t] ?? 1) !== 0) {
        const before = h;
        h = dual(units, (j) => {
          // z = bias + x kernel + h recurrentKernel; (a + a' e)(b + b' e) = ab + (a b' + a' b) e
          let z = weights.bias.data[j];
          let dz = slopeOf('bias', j);
          for (let f = 0; f < features; f++) {
            const at = (b * timeSteps + t) * features + f;
            const [x, w] = [problem.inputs.data[at], weights.kernel.data[f * units + j]];
            z += x * w;
            dz += x * slopeOf('kernel', f * units + j) + slopeOf('inputs', at) * w;
          }
          for (let i = 0; i < units; i++) {
            const w = weights.recurrentKernel.data[i * units + j];
            z += before.value[i] * w;
            dz += before.value[i] * slopeOf('recurrentKernel', i * units + j) + before.slope[i] * w;
          }
          // tanh(z + z' e) = tanh z + z' / cosh(z)^2 e
          return [Math.tanh(z), dz === 0 ? 0 : dz / Math.cosh(z) / Math.cosh(z)];
        });
      }
      for (let j = 0; j < units; j++) {
        const at = (b * timeSteps + t) * units + j;
        states[at] = h.value[j];
        derivative += (upstream?.states?.data[at] ?? 0) * h.slope[j];
      }
    }
    for (let j = 0; j < units; j++) {
      finalState[b * units + j] = h.value[j];
      derivative += (upstream?.finalState?.data[b * units + j] ?? 0) * h.slope[j];
    }
    const { outputKernel, outputBias } = weights;
    if (outputKernel === undefined || outputBias === undefined) continue;
    const last = h;
    const y = dual(classes, (c) => {
      let value = outputBias.data[c];
      let slope = slopeOf('outputBias', c);
      for (let i = 0; i < units; i++) {
        const w = outputKernel.data[i * classes + c];
        value += last.value[i] * w;
        slope += last.value[i] * slopeOf('outputKernel', i * classes + c) + last.slope[i] * w;
      }
      return [value, slope];
    });
    const top = y.value.reduce((m, v) => Math.max(m, v), -Infinity);
    const total = y.value.reduce((s, v) => s + Math.exp(v - top), 0);
    for (let c = 0; c < classes; c++) {
      logits[b * classes + c] = y.value[c];
      probabilities[b * classes + c] = Math.exp(y.value[c] - top) / total;
    }
    const label = labels?.[b];
    if (label === undefined) continue;
    // -log p_label = log sum_k e^(y_k - y_label); its slope is sum_k p_k (y_k' - y_label'), free of cancellation
    let others = 0;
    for (let c = 0; c < classes; c++) {
      if (c === label) continue;
      others += Math.exp(y.value[c] - top);
      derivative += (probabilities[b * classes + c] * (y.slope[c] - y.slope[label])) / batch;
    }
    const own = Math.exp(y.value[label] - top);
    loss += (own > others ? Math.log1p(others / own) : top - y.value[label] + Math.log(total)) / batch;
  }
  const shaped = (data: Float64Array, ...shape: number[]): Tensor => ({ data, shape });
  return {
    derivative,
    evaluation: {
      states: shaped(states, batch, timeSteps, units),
      finalState: shaped(finalState, batch, units),
      ...(classes > 0 && {
        logits: shaped(logits, batch, classes),
        probabilities: shaped(probabilities, batch, classes),
      }),
      ...(labels !== undefined && { loss: shaped(Float64Array.of(loss)) }),
    },
  };
}

function dual(n: number, element: (i: number) => readonly [value: number, slope: number]): Dual {
  const value = new Float64Array(n);
  const slope = new Float64Array(n);
  for (let i = 0; i < n; i++) [value[i], slope[i]] = element(i);
  return { value, slope };
}
