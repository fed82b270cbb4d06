import type * as Tf from '@tensorflow/tfjs';
import { slotNames } from '../../scratch/index';
import type { ResolvedOptimizerConfig, Tensor } from '../../scratch/index';
import { read, toFloat32, type ValuesOf } from '../to-tensors';
import { kernelsOf } from './kernels';

/** What an optimizer remembers: slot name to one tensor per variable, in the order of the variables. */
export type OptimizerSlots = Readonly<Record<string, readonly Tensor[]>>;

/** A tfjs optimizer whose memory can be read and put back. It owns tensors. */
export interface TfOptimizer {
  readonly config: ResolvedOptimizerConfig;
  /** updates done so far */ readonly step: number;
  /** copies; empty before the first update, and read at once unless they have been read */
  readSlots(valuesOf?: ValuesOf): OptimizerSlots;
  /** the tensors of `readSlots` */ slotTensors(): readonly Tf.Tensor[];
  /** One update of the variables, each from the gradient at the same place. */
  update(variables: readonly Tf.Variable[], gradients: readonly Tf.Tensor[]): void;
  dispose(): void;
}

/** How tfjs's optimizers keep a slot: private fields, their content as in tfjs's own getWeights and setWeights. */
type SlotField = { originalName: string; variable: Tf.Variable }[];

interface Internals {
  /** SGD and momentum */ c: Tf.Scalar;
  /** momentum */ m: Tf.Scalar;
  accumulations: SlotField;
  /** Adam: beta1 and beta2 to the power of the next update's number, by repeated float32 multiplication */
  accBeta1: Tf.Variable;
  accBeta2: Tf.Variable;
  accumulatedFirstMoment: SlotField;
  accumulatedSecondMoment: SlotField;
  epsilon: number;
}

/** Where tfjs keeps each slot. */
const slotFields = {
  velocity: 'accumulations',
  m: 'accumulatedFirstMoment',
  v: 'accumulatedSecondMoment',
} as const;

/**
 * tf.train.sgd, momentum or adam, at its start or where `from` left off. tfjs's own rules, with all settings passed
 * explicitly; the formulas are those of the scratch network's optimizers. Adam's other form, `keras`, is tfjs's with
 * epsilon / sqrt(1 - beta2^step) instead of epsilon.
 *
 * tfjs computes Adam's 1 - beta2^step in float32: at the first step with beta2 = 0.999 it is off by 1.3e-5 of itself,
 * the update by 6.4e-6 of itself.
 *
 * tfjs saves optimizers asynchronously and restores beta^step by `pow`, whose last bits differ from those of repeated
 * multiplication. Here both are immediate, and a restored optimizer continues bit for bit.
 *
 * @param names of the variables, in their order; tfjs names slots after them
 * @param from slots that were checked to be those of this optimizer
 * @param asIs leaves Adam's usual epsilon, 1e-7, to tfjs as its users do: on webgl that is 1e-4 (docs/browser.md)
 * @throws RangeError when a number of the slots is beyond float32
 */
export function createTfOptimizer(
  tf: typeof Tf,
  config: ResolvedOptimizerConfig,
  names: readonly string[],
  from: { readonly step: number; readonly slots: OptimizerSlots } = { step: 0, slots: {} },
  asIs = false,
): TfOptimizer {
  const restored = Object.entries(from.slots).map(([slot, tensors]) => ({
    field: slotFields[slot as keyof typeof slotFields],
    slot,
    shapes: tensors.map(({ shape }) => [...shape]),
    arrays: tensors.map((tensor) => toFloat32(tensor, `setOptimizerState: ${slot}`)),
  }));

  const optimizer = newOptimizer(tf, config, asIs);
  const internals = optimizer as unknown as Internals;
  let { step } = from;
  for (const { field, slot, shapes, arrays } of restored) {
    internals[field] = names.map((name, i) => ({
      originalName: `${name}/${slot}`,
      variable: tf.tidy(() => tf.variable(tf.tensor(arrays[i], shapes[i]), false)),
    }));
  }
  if (config.name === 'adam' && step > 0) {
    tf.tidy(() => {
      internals.accBeta1.assign(tf.scalar(powerInFloat32(config.beta1, step + 1)));
      internals.accBeta2.assign(tf.scalar(powerInFloat32(config.beta2, step + 1)));
    });
  }

  const variablesOf = (slot: string): Tf.Variable[] =>
    internals[slotFields[slot as keyof typeof slotFields]].map(({ variable }) => variable);
  return {
    config,
    get step() {
      return step;
    },
    readSlots: (valuesOf) => {
      if (step === 0) return {};
      const copies = (slot: string): Tensor[] =>
        variablesOf(slot).map((variable) => read(variable, valuesOf));
      return Object.fromEntries(slotNames(config).map((slot) => [slot, copies(slot)]));
    },
    slotTensors: () => (step === 0 ? [] : slotNames(config).flatMap(variablesOf)),
    update: (variables, gradients) => {
      step++;
      if (config.name === 'adam' && config.form === 'keras') {
        internals.epsilon = config.epsilon / Math.sqrt(1 - config.beta2 ** step);
      }
      if (config.name === 'sgd' && config.momentum === 0) {
        descend(tf, internals.c, variables, gradients);
      } else {
        optimizer.applyGradients(variables.map(({ name }, i) => ({ name, tensor: gradients[i] })));
      }
    },
    dispose: () => {
      optimizer.dispose();
      // tfjs's momentum optimizer forgets its learning rate, a kept tensor.
      if (config.name === 'sgd') internals.c.dispose();
    },
  };
}

/**
 * What tf.train.sgd does, operation by operation, without its search for variables by name and a scope for each:
 * variable = (-learningRate) · gradient + variable.
 */
function descend(
  tf: typeof Tf,
  minusLearningRate: Tf.Scalar,
  variables: readonly Tf.Variable[],
  gradients: readonly Tf.Tensor[],
): void {
  const { add, multiply } = kernelsOf(tf);
  variables.forEach((variable, i) => {
    const change = multiply(minusLearningRate, gradients[i]);
    const next = add(change, variable);
    variable.assign(next);
    change.dispose();
    next.dispose();
  });
}

function newOptimizer(tf: typeof Tf, config: ResolvedOptimizerConfig, asIs: boolean): Tf.Optimizer {
  if (config.name === 'adam') {
    const epsilon = asIs && config.epsilon === 1e-7 ? undefined : config.epsilon;
    return tf.train.adam(config.learningRate, config.beta1, config.beta2, epsilon);
  }
  const { learningRate, momentum, nesterov } = config;
  if (momentum === 0) return tf.train.sgd(learningRate);
  const optimizer = tf.train.momentum(learningRate, momentum, nesterov);
  // A plain tensor: without this a tidy around the caller would release it.
  tf.keep((optimizer as unknown as Internals).m);
  return optimizer;
}

/** base^exponent as Adam's accumulators come to it: one float32 multiplication per update. */
function powerInFloat32(base: number, exponent: number): number {
  const factor = Math.fround(base);
  let power = factor;
  for (let i = 1, before = NaN; i < exponent && power !== before; i++) {
    before = power;
    power = Math.fround(power * factor);
  }
  return power;
}
