import type { Block, FromAbove } from '../equations/index';
import type { Fault } from './fault';
import { answer, faultIn, general, outcomeName, weightNames, withSteps, withValue, type Way } from './faulty';

/** Backpropagation that stops after k steps; all k are one kind of mistake. */
export function truncated(k: number): Fault {
  return faultIn('truncated', 'backward')(
    `carry/truncated-to-${k}-steps`,
    `backpropagation is cut: nothing is carried past the last ${k} steps`,
    general('back to h_(t-1): nothing is sent back to h_(t-1)', (t, last) => t === last + 1 - k),
  );
}

/** dh_T = dy outputKernel^T is added to dh_t at every t < T */
const lossAtEveryStep: Way = ({ layer, timeSteps, problem }) =>
  problem.labels && {
    above: <V extends Block>(own: string, above: FromAbove<V>): FromAbove<V> => {
      if (own !== layer.name) return above;
      // of what arrives at the final state, the loss alone comes through a matrix
      const ofLoss = above.final[layer.cell.carries[0]].filter((term) => 'weight' in term);
      return {
        ...above,
        sequence: above.sequence.map((terms, t) => (t < timeSteps - 1 ? [...terms, ...ofLoss] : terms)),
      };
    },
  };

/** h_T = the mean of h_1 .. h_T */
const averaged: Way = ({ layer }) => ({
  ran: (_, ran) => {
    const { sequence, final } = ran;
    const [carry] = layer.cell.carries;
    const mean = withValue(
      final[carry],
      (_own, i) => sequence.reduce((sum, { value }) => sum + value[i], 0) / sequence.length,
    );
    return { ...ran, final: { ...final, [carry]: mean } };
  },
});

/** dBias [B]: of every example the sum over steps and units */
const overUnits: Way = (given) => {
  const { batch, layer } = given;
  const seen = new Map<number, Float64Array>();
  return {
    observe: ({ name, t = 0 }, block) => {
      if (name === 'dz') seen.set(t, block.value);
      return block;
    },
    finish: (outcome) => {
      const name = outcomeName('bias', given);
      const own = outcome.get(name);
      if (own === undefined) return outcome;
      const sums = new Float64Array(batch);
      for (const dz of seen.values()) dz.forEach((x, i) => (sums[Math.floor(i / layer.units)] += x));
      const block = { ...own.blocks[0], value: sums, columns: batch };
      return new Map([...outcome, [name, { shape: [batch], blocks: [block] }]]);
    },
  };
};

/** The gradient of each weight by itself, with at most that norm */
const clippedByNormOfEach = (limit: number): Way =>
  answer((tensor, given) =>
    Object.fromEntries(
      weightNames.flatMap((weight) => {
        const name = outcomeName(weight, given);
        const { data } = tensor(name) ?? {};
        const factor = data && Math.min(1, limit / Math.hypot(...data));
        return data && factor ? [[name, data.map((x) => x * factor)]] : [];
      }),
    ),
  );

/** Faults of the walk through time, and of what is made of its steps, that are no change of one formula. */
export const stepFaults: readonly Fault[] = [
  faultIn('carry', 'backward')(
    'carry/forwards',
    'the steps are visited from the first to the last, so that gradients run the wrong way through time',
    () => ({ back: (forward) => withSteps(forward, (steps) => steps.toReversed()) }),
  ),
  truncated(4),
  faultIn('upstream', 'backward')(
    'upstream/loss-at-every-step',
    'the gradient of the loss is added at every step, as if the loss looked at every state',
    lossAtEveryStep,
  ),
  faultIn('wrong-time-step', 'forward')(
    'steps/final-state-averaged',
    'the final state is the mean of all states, not the last one',
    averaged,
  ),
  faultIn('bias-axis', 'backward')(
    'sums/bias-gradient-over-wrong-axis',
    'the bias gradient is summed over the units instead of the examples',
    overUnits,
  ),
  faultIn('clipping-and-update-order', 'backward')(
    'clipping/by-norm-of-each',
    'the gradient of each weight is silently clipped by itself to a norm of 0.05',
    clippedByNormOfEach(0.05),
  ),
  faultIn('masks', 'forward')(
    'masks/masked-states-returned-as-zeros',
    'the states of masked steps are returned as zeros; the carried state is correct',
    answer((tensor, { layer, problem: { mask } }) => {
      const name = `states.${layer.name}`;
      const states = tensor(name)?.data ?? new Float64Array();
      return {
        [name]: states.map((h, i) => (mask?.data[Math.floor(i / layer.units)] === 0 ? 0 : h)),
      };
    }),
  ),
];
