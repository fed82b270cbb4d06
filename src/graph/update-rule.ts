import type { ResolvedOptimizerConfig } from '../../scratch/index';
import type { GraphTensor, Ops } from './builder/index';

/** Which nodes the update has. Its numbers are fed with every step, so that changing one compiles nothing. */
export type UpdateKind = 'sgd' | 'momentum' | 'nesterov' | 'adam';

export function kindOf(config: ResolvedOptimizerConfig): UpdateKind {
  if (config.name === 'adam') return 'adam';
  if (config.momentum === 0) return 'sgd';
  return config.nesterov ? 'nesterov' : 'momentum';
}

/** What the rule remembers, each a vector like the weights. */
export const slotsOf: Readonly<Record<UpdateKind, readonly string[]>> = {
  sgd: [],
  momentum: ['velocity'],
  nesterov: ['velocity'],
  adam: ['m', 'v'],
};

const settingsOf = {
  sgd: ['learningRate'],
  momentum: ['learningRate', 'momentum'],
  nesterov: ['learningRate', 'momentum'],
  adam: ['stepSize', 'beta1', 'oneMinusBeta1', 'beta2', 'oneMinusBeta2', 'epsilon', 'secondMomentScale'],
} as const satisfies Record<UpdateKind, readonly string[]>;

/** How many numbers a step of that kind is fed; one more when gradients are clipped. */
export function settingsCount(kind: UpdateKind, clipped: boolean): number {
  return settingsOf[kind].length + Number(clipped);
}

/**
 * The numbers for update number `step`, counted from 1. Adam's bias corrections (Kingma & Ba 2015) are computed here,
 * in double precision:
 *
 *     tfjs:  stepSize = learningRate / (1 - beta1^step)                       secondMomentScale = 1 / (1 - beta2^step)
 *     keras: stepSize = learningRate sqrt(1 - beta2^step) / (1 - beta1^step)  secondMomentScale = 1
 */
export function settingsFor(
  config: ResolvedOptimizerConfig,
  step: number,
  clipNorm: number | undefined,
): number[] {
  const clip = clipNorm === undefined ? [] : [clipNorm];
  if (config.name === 'sgd') {
    return config.momentum === 0
      ? [config.learningRate, ...clip]
      : [config.learningRate, config.momentum, ...clip];
  }
  const { learningRate, beta1, beta2, epsilon, form } = config;
  const first = 1 - beta1 ** step;
  const second = 1 - beta2 ** step;
  const stepSize = (learningRate * (form === 'keras' ? Math.sqrt(second) : 1)) / first;
  return [stepSize, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, form === 'keras' ? 1 : 1 / second, ...clip];
}

export interface Updated {
  readonly weights: GraphTensor;
  readonly slots: Readonly<Record<string, GraphTensor>>;
  /** half the squared norm of the gradient before clipping; NaN when a next weight is not finite */
  readonly halfSquaredNorm: GraphTensor;
}

/**
 * One update of the weight vector w by the gradient g, in TensorFlow.js's forms:
 *
 *     clipped:  g = g * clipNorm / max(norm(g), clipNorm)
 *     sgd:      w' = w - learningRate g
 *     momentum: velocity' = momentum velocity + g;   w' = w - learningRate velocity'
 *     nesterov: velocity' = momentum velocity + g;   w' = w - learningRate (g + momentum velocity')
 *     adam:     m' = beta1 m + (1 - beta1) g;   v' = beta2 v + (1 - beta2) g^2
 *               w' = w - stepSize m' / (sqrt(v' secondMomentScale) + epsilon)
 */
export function update(
  g: Ops,
  kind: UpdateKind,
  clipped: boolean,
  weights: GraphTensor,
  rawGradient: GraphTensor,
  slots: Readonly<Record<string, GraphTensor>>,
  settings: GraphTensor,
): Updated {
  const values = g.unstack(settings, settingsCount(kind, clipped), 0);
  const setting = Object.fromEntries(settingsOf[kind].map((name, i) => [name, values[i]]));
  const halfSquaredNorm = g.l2Loss(rawGradient);
  const gradient = clipped ? clip(g, rawGradient, halfSquaredNorm, values[values.length - 1]) : rawGradient;
  const next = step(g, kind, weights, gradient, slots, setting);
  const finite = g.all(g.isFinite(next.weights), [0]);
  return { ...next, halfSquaredNorm: g.select(finite, halfSquaredNorm, g.float(NaN)) };
}

function step(
  g: Ops,
  kind: UpdateKind,
  weights: GraphTensor,
  gradient: GraphTensor,
  slots: Readonly<Record<string, GraphTensor>>,
  setting: Readonly<Record<string, GraphTensor>>,
): Omit<Updated, 'halfSquaredNorm'> {
  if (kind === 'sgd') {
    return { weights: g.sub(weights, g.mul(setting.learningRate, gradient)), slots: {} };
  }
  if (kind === 'adam') {
    const m = g.add(g.mul(setting.beta1, slots.m), g.mul(setting.oneMinusBeta1, gradient));
    const v = g.add(g.mul(setting.beta2, slots.v), g.mul(setting.oneMinusBeta2, g.square(gradient)));
    const scale = g.add(g.sqrt(g.mul(v, setting.secondMomentScale)), setting.epsilon);
    return { weights: g.sub(weights, g.div(g.mul(setting.stepSize, m), scale)), slots: { m, v } };
  }
  const velocity = g.add(g.mul(setting.momentum, slots.velocity), gradient);
  const direction = kind === 'nesterov' ? g.add(gradient, g.mul(setting.momentum, velocity)) : velocity;
  return { weights: g.sub(weights, g.mul(setting.learningRate, direction)), slots: { velocity } };
}

/** Scaled down to norm `limit` when it is longer; multiplied by exactly 1 when it is not. */
function clip(g: Ops, gradient: GraphTensor, halfSquaredNorm: GraphTensor, limit: GraphTensor): GraphTensor {
  const norm = g.sqrt(g.mul(g.float(2), halfSquaredNorm));
  return g.mul(gradient, g.div(limit, g.maximum(norm, limit)));
}
