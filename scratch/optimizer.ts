import type { CompileOptions } from './classifier-interface';
import { asText, checkChoice, checkOptions, shown, type OptionNames } from './options';
import type { AdamConfig, OptimizerConfig, SgdConfig } from './optimizer-config';

const sgdOptions: OptionNames<SgdConfig> = {
  name: true,
  learningRate: true,
  momentum: true,
  nesterov: true,
};
const adamOptions: OptionNames<AdamConfig> = {
  name: true,
  learningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  form: true,
};

/** An optimizer's settings with every default filled in. */
export type ResolvedOptimizerConfig = Required<SgdConfig> | Required<AdamConfig>;

/** Slot name to one array per weight, in the order of the weights. */
export type OptimizerSlots = Readonly<Record<string, readonly Float64Array[]>>;

/** Updates weights from gradients, and remembers what its rule needs. */
export interface Optimizer {
  readonly config: ResolvedOptimizerConfig;
  /** updates done so far */ readonly step: number;
  /** the memory itself, not a copy; empty before the first update */ readonly slots: OptimizerSlots;
  /** One update, in place: each weight from the gradient at the same place. */
  update(weights: readonly Float64Array[], gradients: readonly Float64Array[]): void;
}

/**
 * Plain or momentum SGD (Polyak 1964; Nesterov 1983; in the form of Sutskever et al. 2013 that TensorFlow uses).
 *
 *     plain:      w -= learningRate · g
 *     momentum:   velocity = momentum · velocity + g;   w -= learningRate · velocity
 *     Nesterov:   velocity = momentum · velocity + g;   w -= learningRate · (g + momentum · velocity)
 *
 * This is TensorFlow.js's form. Keras keeps learningRate inside the velocity, with the same updates as long as the
 * learning rate does not change.
 */
export function sgdUpdate(
  { learningRate, momentum, nesterov }: Required<SgdConfig>,
  weight: Float64Array,
  gradient: Float64Array,
  velocity: Float64Array,
): void {
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i];
    const v = momentum * velocity[i] + g;
    velocity[i] = v;
    weight[i] -= learningRate * (nesterov ? g + momentum * v : v);
  }
}

/**
 * Adam (Kingma & Ba 2015), update number `step` (counted from 1).
 *
 *     m = beta1 · m + (1 - beta1) · g            v = beta2 · v + (1 - beta2) · g²
 *     tfjs:    m^ = m / (1 - beta1^step)         v^ = v / (1 - beta2^step)
 *              w -= learningRate · m^ / (sqrt(v^) + epsilon)
 *     keras:   w -= learningRate · sqrt(1 - beta2^step) / (1 - beta1^step) · m / (sqrt(v) + epsilon)
 *
 * The two differ in where epsilon stands: keras's is epsilon / sqrt(1 - beta2^step) in the terms of tfjs's, that is
 * 32 times larger at the first step.
 */
export function adamUpdate(
  { learningRate, beta1, beta2, epsilon, form }: Required<AdamConfig>,
  step: number,
  weight: Float64Array,
  gradient: Float64Array,
  m: Float64Array,
  v: Float64Array,
): void {
  const mCorrection = 1 - beta1 ** step;
  const vCorrection = 1 - beta2 ** step;
  const rate = (learningRate * Math.sqrt(vCorrection)) / mCorrection;
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    weight[i] -=
      form === 'tfjs'
        ? (learningRate * (m[i] / mCorrection)) / (Math.sqrt(v[i] / vCorrection) + epsilon)
        : (rate * m[i]) / (Math.sqrt(v[i]) + epsilon);
  }
}

/**
 * An optimizer at its start, or where `from` left off.
 *
 * @throws RangeError when a setting is out of range or `from` does not hold this optimizer's slots
 * @example
 * ```ts
 * const weight = Float64Array.of(1);
 * createOptimizer({ name: 'sgd', learningRate: 0.5 }).update([weight], [Float64Array.of(2)]);
 * weight[0]; // => 0
 * ```
 */
export function createOptimizer(
  config: OptimizerConfig,
  from?: { readonly step: number; readonly slots: OptimizerSlots },
): Optimizer {
  const resolved = resolveOptimizer({ optimizer: config });
  const names = slotNames(resolved);
  let step = 0;
  let slots: Record<string, readonly Float64Array[]> = {};
  if (from !== undefined) {
    checkOptimizerMemory(from, names);
    step = from.step;
    if (step > 0) slots = Object.fromEntries(names.map((n) => [n, from.slots[n].map((s) => s.slice())]));
  }
  return {
    config: resolved,
    get step() {
      return step;
    },
    get slots() {
      return slots;
    },
    update(weights, gradients) {
      if (step === 0) {
        slots = Object.fromEntries(names.map((n) => [n, weights.map((w) => new Float64Array(w.length))]));
      }
      step++;
      for (let i = 0; i < weights.length; i++) {
        if (resolved.name === 'adam') {
          adamUpdate(resolved, step, weights[i], gradients[i], slots.m[i], slots.v[i]);
        } else if (resolved.momentum > 0) {
          sgdUpdate(resolved, weights[i], gradients[i], slots.velocity[i]);
        } else {
          plainUpdate(resolved.learningRate, weights[i], gradients[i]);
        }
      }
    },
  };
}

/** w -= learningRate · g */
function plainUpdate(learningRate: number, weight: Float64Array, gradient: Float64Array): void {
  for (let i = 0; i < weight.length; i++) weight[i] -= learningRate * gradient[i];
}

/** What the rule remembers per weight. */
export function slotNames(config: ResolvedOptimizerConfig): readonly string[] {
  if (config.name === 'adam') return ['m', 'v'];
  return config.momentum > 0 ? ['velocity'] : [];
}

/**
 * The optimizer that compile options ask for, every default filled in: SGD with 0.01 (the notebook's) when they name
 * none, Adam with Keras's 0.001, 0.9, 0.999 and 1e-7.
 *
 * @throws RangeError when a setting is out of range
 */
export function resolveOptimizer(options: CompileOptions): ResolvedOptimizerConfig {
  if (typeof options !== 'object' || (options as object | null) === null)
    throw new TypeError(
      `resolveOptimizer: the options are ${shown(options)}; pass an object, as { optimizer: 'adam' }.`,
    );
  const { optimizer = 'sgd' } = options;
  const asked: OptimizerConfig = typeof optimizer === 'string' ? { name: optimizer } : optimizer;
  checkOptions(asked, { ...sgdOptions, ...adamOptions }, 'optimizer');
  switch (asked.name) {
    case 'sgd': {
      checkOptions(asked, sgdOptions, 'optimizer sgd');
      const { momentum = 0, nesterov = false, learningRate: own = 0.01 } = asked;
      const { learningRate = own } = options;
      checkSetting('learningRate', learningRate, 0, Infinity);
      checkSetting('momentum', momentum, 0, 1);
      if (typeof nesterov !== 'boolean') {
        throw new RangeError(
          `optimizer: nesterov is ${shown(nesterov)}; it must be true or false, so pass one.`,
        );
      }
      return { name: 'sgd', learningRate, momentum, nesterov };
    }
    case 'adam': {
      checkOptions(asked, adamOptions, 'optimizer adam');
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, form = 'tfjs', learningRate: own = 0.001 } = asked;
      const { learningRate = own } = options;
      checkSetting('learningRate', learningRate, 0, Infinity);
      checkSetting('beta1', beta1, 0, 1);
      checkSetting('beta2', beta2, 0, 1);
      checkSetting('epsilon', epsilon, 0, Infinity);
      checkChoice(form, ['tfjs', 'keras'], 'optimizer: form');
      return { name: 'adam', learningRate, beta1, beta2, epsilon, form };
    }
    default:
      throw new RangeError(
        `optimizer: the name is ${asText((asked as { name: unknown }).name)}; there are sgd and adam, so pass one of those.`,
      );
  }
}

function checkSetting(name: string, value: number, from: number, below: number): void {
  if (typeof value === 'number' && value >= from && value < below) return;
  throw new RangeError(
    `optimizer: ${name} is ${shown(value)}; it must be a number in [${from}, ${below}), so pass one of those.`,
  );
}

/**
 * The boundary check of a saved optimizer state: the slots of this rule, all of them, or none before the first update.
 *
 * @throws RangeError
 */
export function checkOptimizerMemory(
  from: { readonly step: number; readonly slots: Readonly<Record<string, unknown>> },
  names: readonly string[],
): void {
  const expected = from.step > 0 ? names : [];
  const found = Object.keys(from.slots).sort();
  if (!Number.isInteger(from.step) || from.step < 0 || found.join() !== [...expected].sort().join()) {
    throw new RangeError(
      `optimizer: the state has step ${shown(from.step)} and slots [${found.join(', ')}]; after ${shown(from.step)} updates this optimizer has [${expected.join(', ')}], so pass the state of one with the same settings.`,
    );
  }
}
