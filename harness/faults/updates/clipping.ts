import { weightNames } from '../../../scratch/index';
import { each, normOf, type HandOptimizer, type Numbers } from './hand-optimizer';
import { memoize } from '../../base/memoize';
import { updateFaultIn, type UpdateFault } from './update-fault';

const clipping = updateFaultIn('clipping-and-update-order', 'gradient');

/** min(1, clipNorm / |g|), |g| the norm of these gradients together */
const factorOf = (
  { question: { clipNorm = Infinity } }: HandOptimizer,
  gradients: Numbers,
  names: readonly (keyof Numbers)[] = weightNames,
): number => Math.min(1, clipNorm / normOf(gradients, names));

const ownFactor = memoize((own: HandOptimizer) => factorOf(own, own.shifted(own.gradients())));

/** Faults of clipping by the norm of all gradients together. */
export const updateClippingFaults: readonly UpdateFault[] = [
  clipping('clip/ignored', 'the gradients are not clipped, though clipNorm was given', {
    clipped: (_, gradients) => gradients,
  }),
  clipping(
    'clip/each-weight-by-itself',
    "each weight's gradient is clipped to clipNorm by itself, which turns the direction",
    {
      clipped: ({ own }, gradients) =>
        each((name) => {
          const factor = factorOf(own, gradients, [name]);
          return gradients[name].map((g) => g * factor);
        }),
    },
  ),
  clipping('clip/by-value', 'every number is clipped to clipNorm by itself', {
    clipped: ({ own: { question } }, gradients) => {
      const { clipNorm = Infinity } = question;
      return each((name) => gradients[name].map((g) => Math.max(-clipNorm, Math.min(clipNorm, g))));
    },
  }),
  clipping('clip/always-scaled', 'the gradients are scaled to clipNorm even where they are smaller', {
    clipped: ({ own: { question } }, gradients) => {
      const { clipNorm } = question;
      if (clipNorm === undefined) return gradients;
      const factor = clipNorm / normOf(gradients, weightNames);
      return each((name) => gradients[name].map((g) => g * factor));
    },
  }),
  clipping(
    'clip/after-the-memory',
    'the gradients enter the memory unclipped; only the step is scaled down',
    {
      clipped: (_, gradients) => gradients,
      step: ({ own, right }, ...given) => ownFactor(own) * right(...given),
    },
  ),
];
