import type { Tensor } from '../../scratch/index';
import type { Fault } from './fault';
import { answer, faultIn, outcomeName, weightNames, type Way } from './faulty';

const clipping = faultIn('clipping-and-update-order', 'backward');
const shown = (limit: number): string => String(Number(limit.toPrecision(4)));

/** The gradients of the weights, each as `change` makes it. */
function weightGradients(change: (own: Tensor, all: readonly Tensor[]) => Float64Array): Way {
  return answer((tensor, given) => {
    const found = weightNames.flatMap((name) => {
      const own = tensor(outcomeName(name, given));
      return own === undefined ? [] : [[outcomeName(name, given), own] as const];
    });
    const all = found.map(([, own]) => own);
    return Object.fromEntries(found.map(([name, own]) => [name, change(own, all)]));
  });
}

/** min(1, limit / |of|), times the gradient; |of| is the norm of these together */
function atMost(limit: number, of: readonly Tensor[], { data }: Tensor): Float64Array {
  const norm = Math.sqrt(of.reduce((sum, one) => one.data.reduce((s, x) => s + x * x, sum), 0));
  const factor = Math.min(1, limit / norm);
  return data.map((x) => x * factor);
}

/** Clipped so that all gradients of weights together have at most that norm. */
export function clippedByNorm(limit: number): Fault {
  return clipping(
    'clipping/by-norm',
    `the gradients of the weights are silently clipped to a norm of ${shown(limit)}`,
    weightGradients((own, all) => atMost(limit, all, own)),
  );
}

/** Each weight's gradient clipped to that norm by itself. */
export function clippedByNormOfEach(limit: number): Fault {
  return clipping(
    'clipping/by-norm-of-each',
    `the gradient of each weight is silently clipped by itself to a norm of ${shown(limit)}`,
    weightGradients((own) => atMost(limit, [own], own)),
  );
}

/** Every number of the weights' gradients clipped to [-limit, limit]. */
export function clippedByValue(limit: number): Fault {
  return clipping(
    'clipping/by-value',
    `every number of the weights' gradients is silently clipped to at most ${shown(limit)}`,
    weightGradients(({ data }) => data.map((x) => Math.min(limit, Math.max(-limit, x)))),
  );
}
