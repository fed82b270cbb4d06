import type { Evaluation } from '../base/problem';
import { changeGradients, gradientNorm, mapTensor, weightNames } from './answers';
import { HandNetwork } from './hand-network';
import type { Fault } from './fault';

const clipping = { family: 'clipping-and-update-order', phase: 'backward' } as const;

/** Clipped so that all gradients of weights together have at most that norm. */
export function clippedByNorm(limit: number): Fault {
  return {
    name: 'clipping/by-norm',
    words: `the gradients of the weights are silently clipped to a norm of ${Number(limit.toPrecision(4))}`,
    ...clipping,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        const factor = Math.min(1, limit / gradientNorm(answer, weightNames));
        return changeGradients(answer, weightNames, (gradient) => mapTensor(gradient, (x) => x * factor));
      }
    },
  };
}

/** Each weight's gradient clipped to that norm by itself. */
export function clippedByNormOfEach(limit: number): Fault {
  return {
    name: 'clipping/by-norm-of-each',
    words: `the gradient of each weight is silently clipped by itself to a norm of ${Number(limit.toPrecision(4))}`,
    ...clipping,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        return changeGradients(answer, weightNames, (gradient, name) => {
          const factor = Math.min(1, limit / gradientNorm(answer, [name]));
          return mapTensor(gradient, (x) => x * factor);
        });
      }
    },
  };
}

/** Every number of the weights' gradients clipped to [-limit, limit]. */
export function clippedByValue(limit: number): Fault {
  return {
    name: 'clipping/by-value',
    words: `every number of the weights' gradients is silently clipped to at most ${Number(limit.toPrecision(4))}`,
    ...clipping,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        return changeGradients(answer, weightNames, (gradient) =>
          mapTensor(gradient, (x) => Math.min(limit, Math.max(-limit, x))),
        );
      }
    },
  };
}

/** Gradients that are clipped although the caller did not ask for it. */
export const clippingFaults: readonly Fault[] = [
  clippedByNorm(0.1),
  clippedByNormOfEach(0.05),
  clippedByValue(0.02),
];
