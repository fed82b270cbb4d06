import { weightNames } from '../../../scratch/index';
import { updateFaultIn, type UpdateFault } from './update-fault';

const inWeights = updateFaultIn('optimizer', 'weights');
/** with a large second moment, epsilon changes less than float32 holds */
const firstUpdate: Pick<UpdateFault, 'shownIn'> = { shownIn: ({ state }) => state.step === 0 };

/** Faults of Adam. */
export const adamFaults: readonly UpdateFault[] = [
  inWeights('adam/no-bias-correction', 'the moments are used without the division by 1 - beta^t', {
    corrections: () => [1, 1],
  }),
  inWeights(
    'adam/second-moment-not-corrected',
    'm is divided by 1 - beta1^t, but v is not divided by 1 - beta2^t',
    { corrections: ({ right }, t) => [right(t)[0], 1] },
  ),
  inWeights('adam/count-late', 'the bias correction counts one update too many', {
    count: ({ right }, at) => right(at) + 1,
  }),
  inWeights('adam/count-early', 'the bias correction counts one update too few, from the second update on', {
    count: ({ right }, at) => Math.max(1, right(at) - 1),
  }),
  inWeights(
    'adam/counted-for-each-weight',
    'the counter of updates increases for each weight, not once for all weights',
    {
      count: ({ own }, { name }) =>
        own.question.state.step * weightNames.length + weightNames.indexOf(name) + 1,
    },
  ),
  inWeights(
    'adam/epsilon-inside-root',
    'epsilon is added to v^ under the root, not to the root',
    {
      adamStep: ({ own }, m, v, t) => {
        const [forM, forV] = own.corrections(t);
        return m / forM / Math.sqrt(v / forV + own.epsilon);
      },
    },
    firstUpdate,
  ),
  inWeights(
    'adam/other-form-of-epsilon',
    "epsilon is added to sqrt(v) instead of sqrt(v^), or the other way round: Keras's form for TensorFlow.js's",
    {
      adamStep: ({ own }, m, v, t) => {
        const [forM, forV] = own.corrections(t);
        if (own.form === 'keras') return m / forM / (Math.sqrt(v / forV) + own.epsilon);
        return ((Math.sqrt(forV) / forM) * m) / (Math.sqrt(v) + own.epsilon);
      },
    },
    firstUpdate,
  ),
  updateFaultIn('optimizer', 'v')('adam/second-moment-of-g', 'v is the average of |g|, not of g^2', {
    secondMoment: ({ own: { beta2 } }, before, g) => beta2 * before + (1 - beta2) * Math.abs(g),
  }),
  inWeights('adam/root-forgotten', 'the step is divided by v^, not by its root', {
    adamStep: ({ own }, m, v, t) => {
      const [forM, forV] = own.corrections(t);
      return m / forM / (v / forV + own.epsilon);
    },
  }),
  updateFaultIn('optimizer', 'm')('adam/betas-swapped', 'beta1 and beta2 are swapped', {
    firstMoment: ({ own: { beta2 } }, before, g) => beta2 * before + (1 - beta2) * g,
    secondMoment: ({ own: { beta1 } }, before, g) => beta1 * before + (1 - beta1) * g * g,
    corrections: ({ right }, t) => {
      const [forM, forV] = right(t);
      return [forV, forM];
    },
  }),
  updateFaultIn('optimizer', 'm')(
    'adam/moments-not-carried',
    'the moments of the previous update are forgotten',
    { memory: ({ own, right }, before, ...rest) => right(own.isAdam ? { m: 0, v: 0 } : before, ...rest) },
  ),
  updateFaultIn('clipping-and-update-order', 'weights')(
    'adam/step-before-moments',
    'the weights are updated with the moments of the previous update; the moments are updated afterwards',
    {
      step: ({ own, right }, g, now, before, t) => right(g, own.isAdam ? before : now, before, t),
    },
  ),
];

/**
 * The epsilons of Adam in use: 1e-8 of PyTorch and the paper (Kingma & Ba 2015), 1e-7 of Keras, 1e-4 of TensorFlow.js where it takes a device
 * for one of half precision.
 */
export const customaryEpsilons: readonly number[] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3];

/** What a report says of another epsilon. */
export const otherEpsilonInWords = (epsilon: number): string =>
  `epsilon is ${epsilon}, and not the one that was asked for`;

/** Adam with the epsilon of another program. They are looked for in a wrong update, and not planted. */
export const otherEpsilons: readonly UpdateFault[] = customaryEpsilons.map((epsilon) =>
  inWeights('adam/another-epsilon', otherEpsilonInWords(epsilon), {
    adamStep: ({ own }, m, v, t) => {
      const [forM, forV] = own.corrections(t);
      if (own.form === 'keras') return ((Math.sqrt(forV) / forM) * m) / (Math.sqrt(v) + epsilon);
      return m / forM / (Math.sqrt(v / forV) + epsilon);
    },
  }),
);
