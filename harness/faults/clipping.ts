import { changeGradients, gradientNorm, mapTensor, weightNames } from './answers';
import type { Fault } from './fault';
import { faultIn, finish } from './faulty';

const clipping = faultIn('clipping-and-update-order', 'backward');
const shown = (limit: number): string => String(Number(limit.toPrecision(4)));

/** Clipped so that all gradients of weights together have at most that norm. */
export function clippedByNorm(limit: number): Fault {
  return clipping(
    'clipping/by-norm',
    `the gradients of the weights are silently clipped to a norm of ${shown(limit)}`,
    finish((answer) => {
      const factor = Math.min(1, limit / gradientNorm(answer, weightNames));
      return changeGradients(answer, weightNames, (gradient) => mapTensor(gradient, (x) => x * factor));
    }),
  );
}

/** Each weight's gradient clipped to that norm by itself. */
export function clippedByNormOfEach(limit: number): Fault {
  return clipping(
    'clipping/by-norm-of-each',
    `the gradient of each weight is silently clipped by itself to a norm of ${shown(limit)}`,
    finish((answer) =>
      changeGradients(answer, weightNames, (gradient, name) => {
        const factor = Math.min(1, limit / gradientNorm(answer, [name]));
        return mapTensor(gradient, (x) => x * factor);
      }),
    ),
  );
}

/** Every number of the weights' gradients clipped to [-limit, limit]. */
export function clippedByValue(limit: number): Fault {
  return clipping(
    'clipping/by-value',
    `every number of the weights' gradients is silently clipped to at most ${shown(limit)}`,
    finish((answer) =>
      changeGradients(answer, weightNames, (gradient) =>
        mapTensor(gradient, (x) => Math.min(limit, Math.max(-limit, x))),
      ),
    ),
  );
}

/** Gradients that are clipped although the caller did not ask for it. */
export const clippingFaults: readonly Fault[] = [
  clippedByNorm(0.1),
  clippedByNormOfEach(0.05),
  clippedByValue(0.02),
];
