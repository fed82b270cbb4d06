import { weightNames } from '../../../scratch/index';
import { each, normOf, type HandOptimizer, type UpdateQuestion } from './hand-optimizer';
import { updateFaultIn, type UpdateFault } from './update-fault';
import type { Wrong } from '../wrong';

/** Another way to compute the same update. */
export interface UpdateEquivalent extends UpdateFault {
  /** the proof, in a sentence */ readonly equivalent: string;
  /** the updates that are computed that way */ readonly shownIn: (question: UpdateQuestion) => boolean;
}

const isAdam: UpdateEquivalent['shownIn'] = ({ optimizer }) => optimizer.name === 'adam';

function harmless(
  name: string,
  words: string,
  shownIn: UpdateEquivalent['shownIn'],
  equivalent: string,
  changed: Wrong<HandOptimizer>,
): UpdateEquivalent {
  const inWeights = updateFaultIn('optimizer', 'weights');
  return { ...inWeights(`equivalent/${name}`, words, changed), shownIn, equivalent };
}

/** Other ways to compute the same update: they look like mistakes but are correct. */
export const updateEquivalents: readonly UpdateEquivalent[] = [
  harmless(
    'weights-updated-from-last-to-first',
    'the last weight is updated first',
    () => true,
    'all gradients are there before the first update, and each weight moves by its own alone',
    { updated: ({ right }) => [...right()].reverse() },
  ),
  harmless(
    'average-by-its-difference',
    'm moves by (1 - beta1) (g - m), and v likewise',
    isAdam,
    'm + (1 - beta1) (g - m) = beta1 m + (1 - beta1) g',
    {
      firstMoment: ({ own }, before, g) => before + (1 - own.beta1) * (g - before),
      secondMoment: ({ own }, before, g) => before + (1 - own.beta2) * (g * g - before),
    },
  ),
  harmless(
    'nesterov-by-two-velocities',
    "Nesterov's step is taken as (1 + momentum) velocity - momentum old velocity",
    ({ optimizer }) =>
      optimizer.name === 'sgd' && (optimizer.momentum ?? 0) > 0 && optimizer.nesterov === true,
    'g = velocity - momentum old velocity, so that g + momentum velocity is that',
    {
      step: ({ own, right }, g, now, before, t) =>
        own.nesterov
          ? (1 + own.momentum) * now.velocity - own.momentum * before.velocity
          : right(g, now, before, t),
    },
  ),
  harmless(
    'corrections-taken-into-the-rate',
    'the moments are not corrected; the learning rate and epsilon are',
    isAdam,
    'sqrt(c_v) / c_m m / (sqrt(v) + epsilon sqrt(c_v)) = m / c_m / (sqrt(v / c_v) + epsilon), c the corrections',
    {
      adamStep: ({ own }, m, v, t) => {
        const [forM, forV] = own.corrections(t);
        const root = Math.sqrt(forV);
        const epsilon = own.form === 'keras' ? own.epsilon : own.epsilon * root;
        return ((root / forM) * m) / (Math.sqrt(v) + epsilon);
      },
    },
  ),
  harmless(
    'clipped-without-asking-first',
    'every gradient is multiplied by clipNorm / max(norm, clipNorm)',
    ({ clipNorm }) => clipNorm !== undefined,
    'the factor is 1 where the norm is below clipNorm, and clipNorm / norm above it',
    {
      clipped: ({ own }, gradients) => {
        const { clipNorm } = own.question;
        if (clipNorm === undefined) return gradients;
        const norm = Math.max(clipNorm, normOf(gradients, weightNames));
        return each((name) => gradients[name].map((g) => (g * clipNorm) / norm));
      },
    },
  ),
];
