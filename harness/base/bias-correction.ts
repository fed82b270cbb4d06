import type { OptimizerConfig } from '../../scratch/index';

/**
 * Relative error, in units of roundoff, that a float32 program makes in the size of Adam's step t (counted from 1) through its bias
 * corrections, sqrt(1 - beta2^t) / (1 - beta1^t):
 *
 *     beta^t       is off by up to 2 t roundoffs: beta itself is rounded, t times in the power, and so are up to t products
 *     1 - beta^t   magnifies that by beta^t / (1 - beta^t), and is rounded once itself
 *     sqrt         halves what beta2 contributes
 *
 * Large at first: at t = 1 and beta2 = 0.999 it is 1000 roundoffs, 6e-5. (Kingma & Ba 2014 for the formula; first order in u.)
 */
export function biasCorrectionError(optimizer: OptimizerConfig, t: number): number {
  if (optimizer.name !== 'adam') return 0;
  const of = (beta: number): number => (2 * t * beta ** t) / (1 - beta ** t) + 1;
  return of(optimizer.beta1 ?? 0.9) + of(optimizer.beta2 ?? 0.999) / 2;
}
